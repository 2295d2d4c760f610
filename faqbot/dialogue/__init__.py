"""Message, context and ranking in, one decision out; pure."""
