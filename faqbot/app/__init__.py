"""The composition root, and the use cases that need parts of every package."""
