"""Plumbing of the process: log, metrics, retries, loops, lanes, leases, durable queues."""
