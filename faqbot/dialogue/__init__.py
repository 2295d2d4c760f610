"""Dialogue: interprets a message, given its dialogue state and the knowledge, as command or decision; pure."""
