"""Formats and error codes of DingTalk. Pure."""
