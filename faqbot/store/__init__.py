"""What outlives the process: one protocol in named roles, two engines."""
