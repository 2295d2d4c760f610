"""Dialogue: from a message, the state of its conversation and the knowledge to a command or a decision; pure."""
