"""Composition root, and the use cases that need everything."""
