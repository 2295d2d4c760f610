"""Formats and codes of DingTalk; pure."""
