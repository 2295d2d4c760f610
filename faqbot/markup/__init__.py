"""DingTalk's markdown: writing, escaping, chunking, checking, and rendering as HTML."""
