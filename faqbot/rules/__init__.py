"""`automations.yaml` into rules and problems; pure."""
