"""Stream connection to DingTalk: gateway, connection, frames."""
