"""The fake's API families."""
