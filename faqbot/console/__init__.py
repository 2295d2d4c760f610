"""The web console and the HTTP server that carries it."""
