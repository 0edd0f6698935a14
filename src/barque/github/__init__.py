"""GitHub's deliveries."""
