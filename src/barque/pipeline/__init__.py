"""Durable work: what is started is finished, whatever dies meanwhile."""
