"""Outbox: durable queue of notices, the messages that are not replies, and their delivery channels."""
