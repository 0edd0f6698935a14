"""Image and configuration, frozen."""
