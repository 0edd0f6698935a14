"""What is pushed to the platform itself, by Git: built while the push waits, and deployed."""
