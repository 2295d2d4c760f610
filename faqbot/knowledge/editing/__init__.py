"""Changing one entry: proposing, saving, auditing, restoring."""
