"""Search: finds the entries that match a question, best first, and how sure each match is."""
