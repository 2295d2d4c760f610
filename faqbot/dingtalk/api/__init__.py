"""Calls to the APIs of DingTalk."""
