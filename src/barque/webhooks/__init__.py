"""Outgoing webhooks: builds and deployments, told to whoever an organization names."""
