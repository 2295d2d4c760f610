"""DingTalk's markdown: writing it safely, cutting it to size, checking it, showing it as HTML."""
