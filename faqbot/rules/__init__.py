"""Parses `automations.yaml` into rules of triggers, conditions and actions, with all problems found; pure."""
