"""Claims of speed, each with one command."""
