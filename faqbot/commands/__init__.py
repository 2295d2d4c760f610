"""Commands in chat that belong to no other subject."""
