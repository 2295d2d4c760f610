"""The state of the fake DingTalk: people and messages, working days, clock, faults."""
