"""DingTalk: the formats it uses, the calls to its APIs, and the stream connection."""
