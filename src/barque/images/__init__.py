"""Builds: from a commit to an image."""
