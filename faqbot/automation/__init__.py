"""Run the rules: schedules, events from other systems, actions, webhooks."""
