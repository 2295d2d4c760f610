"""Durable queue of messages that answer nobody, and the channels they leave by."""
