"""Which entries match a question, and how sure that is."""
