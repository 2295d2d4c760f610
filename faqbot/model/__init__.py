"""Frozen facts that every subject shares; no behaviour that needs the outside world."""
