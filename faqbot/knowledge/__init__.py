"""The knowledge files: reading, checking and keeping them live."""
