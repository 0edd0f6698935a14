"""Plans for Python."""
