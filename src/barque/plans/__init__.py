"""Plans: how a repository without a Dockerfile is built, told from its files alone."""
