"""Handlers of the chat commands that belong to no other subject, and the registry of all handlers."""
