"""DingTalk, the platform."""
