"""A fake DingTalk for tests and trials: server and sample company."""
