"""Plumbing of the console: sign-in, sessions, templates, origin checks."""
