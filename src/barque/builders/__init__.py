"""What turns source into an image: the port, and BuildKit behind it."""
