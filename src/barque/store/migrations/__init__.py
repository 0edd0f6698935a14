"""The tables' history: one step a file in `versions/`, numbered, and how a database takes them."""
