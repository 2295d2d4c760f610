"""Finds what a question says otherwise than the entry that it matched."""
