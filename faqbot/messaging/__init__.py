"""Processing of incoming messages: accept, decide, reply, record."""
