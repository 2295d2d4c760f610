"""Data that outlives the process: one protocol in named roles, two engines (SQLite and Redis)."""
