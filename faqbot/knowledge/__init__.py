"""Parses the knowledge files and keeps the snapshot of them that is live."""
