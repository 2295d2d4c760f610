"""Reads `automations.yaml` into rules with triggers, conditions and actions, and reports every problem in it; pure."""
