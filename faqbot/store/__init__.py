"""Persistent store: one protocol, divided into roles, and two engines, SQLite and Redis."""
