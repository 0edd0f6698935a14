"""Configuration at four levels, and its resolution."""
