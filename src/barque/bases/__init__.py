"""Base images: which there are, and making them from Debian packages."""
