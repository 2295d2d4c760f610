"""The APIs of the fake DingTalk, one module for each group of endpoints."""
