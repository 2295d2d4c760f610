"""Questions handed to a person, and their answers."""
