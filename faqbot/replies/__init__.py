"""Decisions into texts; pure."""
