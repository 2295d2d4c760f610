"""A fake DingTalk for tests and trials: one HTTP server with a chat page, and a sample company."""
