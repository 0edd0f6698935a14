"""What runs containers: the port, and the Docker Engine behind it."""
