"""Rendering of responses as messages in DingTalk's markdown; pure."""
