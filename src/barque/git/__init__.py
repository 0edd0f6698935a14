"""Where source comes from: the port, and the `git` program behind it."""
