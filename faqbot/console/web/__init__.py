"""Infrastructure shared by all console pages: sign-in, sessions, templates, errors, origin checks."""
