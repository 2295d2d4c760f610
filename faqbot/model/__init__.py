"""Frozen data types that several packages share; pure."""
