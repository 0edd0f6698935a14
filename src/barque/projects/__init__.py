"""What organizations hold: projects and their environments."""
