"""The durable queue of notices, and the channels by which they are sent."""
