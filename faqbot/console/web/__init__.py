"""Shared by all pages of the console: sign-in, sessions, templates, errors, origin checks."""
