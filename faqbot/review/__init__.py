"""Review of entries by their owners: drafts, due dates, corrections, and notices about each."""
