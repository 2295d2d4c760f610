"""The path of one incoming message, from acceptance over decision and reply to the record."""
