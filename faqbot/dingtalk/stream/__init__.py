"""The stream connection to DingTalk; only this package knows the SDK."""
