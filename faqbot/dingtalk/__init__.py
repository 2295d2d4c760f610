"""DingTalk's formats and calls, one file per part of the platform."""
