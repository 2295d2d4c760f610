"""The web console for HR, and the HTTP server of the bot that serves it."""
