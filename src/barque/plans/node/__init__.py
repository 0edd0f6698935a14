"""Plans for Node.js."""
