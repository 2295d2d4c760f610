"""Drafts, entries due for review and corrections: which owners must decide on, and whom to tell."""
