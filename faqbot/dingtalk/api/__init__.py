"""Calls to DingTalk."""
