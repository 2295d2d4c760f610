"""Running the rules: timers, inbound events, actions, webhooks."""
