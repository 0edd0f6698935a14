"""Health, metrics and documentation of the platform itself."""
