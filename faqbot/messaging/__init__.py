"""The path of one incoming message, from acceptance to record."""
