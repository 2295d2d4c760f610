"""The fake's people, clock and faults."""
