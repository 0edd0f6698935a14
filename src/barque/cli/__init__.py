"""The program `barque`, on the Python client."""
