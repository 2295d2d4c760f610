"""Drafts, due reviews, corrections: what keepers must look at or be told."""
