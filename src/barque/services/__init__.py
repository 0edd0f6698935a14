"""The deployable units."""
