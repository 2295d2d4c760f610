"""Prometheus metrics: counters and timings, in one registry per bot, so that tests can run many."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)


class Metrics:
    """The counters, each written by the one module that knows; `show()` is the page."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("messages_received", "Callbacks read, by kind of message", "kind")
        self.repeated = self._counter("messages_repeated", "Callbacks of messages that were seen before")
        self.acked = self._counter("messages_acked", "Callbacks acknowledged to DingTalk")
        self.not_accepted = self._counter(
            "messages_not_accepted", "Callbacks that could not be written down, not acked"
        )
        self.taken_over = self._counter("messages_taken_over", "Messages taken over from another worker")
        self.decisions = self._counter("decisions", "What was decided on a message", "outcome")
        self.finished = self._counter("messages_finished", "Last states of messages", "state")
        self.sends = self._counter("sends", "Attempts to send a reply, by way and DingTalk's code", "way", "code")
        self.api_calls = self._counter("api_calls", "Calls of the server API that DingTalk answered", "api", "code")
        self.tokens = self._counter("token_refreshes", "Access tokens fetched, by result", "result")
        self.hooks = self._counter(
            "hook_requests", "Events posted by other systems, by the HTTP status they got", "status"
        )
        self.reconnects = self._counter("stream_connects", "Stream connections opened, by result", "result")
        self.ack_seconds = self._histogram("ack_seconds", "From a callback to its acknowledgement", _QUICK)
        self.match_seconds = self._histogram("match_seconds", "Finding the answer to one message", _QUICK)
        self.question_vectors = self._counter(
            "question_vectors", "Vectors wanted for a question: ready, late, busy or failed", "result"
        )
        self.vectors = self._gauge("vectors", "Vectors of wordings: those ready, of those wanted", "state")
        self.answer_seconds = self._histogram("answer_seconds", "From a callback to the reply being taken", _SLOW)
        self.backlog = self._gauge("backlog_messages", "Messages written down and not finished, all replicas")
        self.backlog_age = self._gauge("backlog_oldest_seconds", "Age of the oldest of them")
        self._version = self._gauge("knowledge_info", "The knowledge that is live", "version")
        self._entries = self._gauge("knowledge_entries", "Entries that are live")
        self._problems = self._gauge("knowledge_problems", "Problems in the knowledge files", "level")
        self.quota_used = self._gauge("quota_used", "Used of the company's monthly quota, as counted here", "kind")
        self.quota_limit = self._gauge("quota_limit", "The company's monthly quota", "kind")

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is read when the page is made."""
        self._gauge(name, meaning).set_function(value)

    def knowledge(self, version: str, entries: int, errors: int, warnings: int) -> None:
        """Set the gauges of the live knowledge; called once for each new version."""
        self._version.clear()
        self._version.labels(version).set(1)
        self._entries.set(entries)
        self._problems.labels("error").set(errors)
        self._problems.labels("warning").set(warnings)

    def show(self) -> bytes:
        """Return the page in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"faqbot_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"faqbot_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"faqbot_{name}", meaning, buckets=buckets, registry=self.registry)
