"""Search: finds the entries that match a question, best first, each with its probability."""
