"""Where the knowledge files are and how they are written."""
