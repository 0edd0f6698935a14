"""What is wrong with an installation, and how to mend it: each family of checks in one file."""
