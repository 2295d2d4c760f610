"""Knowledge: parses the knowledge files and keeps their current snapshot in use."""
