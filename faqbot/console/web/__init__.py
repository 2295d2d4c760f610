"""What all pages of the console share: sign-in, sessions, templates, errors, origin checks."""
