"""Taking all that an installation keeps into one file while it runs, and putting it back."""
