"""The APIs of the fake DingTalk, one module for each family."""
