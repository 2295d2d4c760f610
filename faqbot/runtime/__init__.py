"""Runtime infrastructure of the process: logging, metrics, retry, loops, leases."""
