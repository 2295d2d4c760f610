"""Plumbing of the process: log, metrics, retry, loops, leases."""
