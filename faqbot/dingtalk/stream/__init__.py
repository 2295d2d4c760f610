"""The stream connection to DingTalk; only this package uses the SDK."""
