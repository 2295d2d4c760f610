"""What an edit would change for questions people asked."""
