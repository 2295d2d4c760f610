"""Dependencies of the webhook handlers, and how a handler gets them from its request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from faqbot.automation.event_queue import EventQueue
from faqbot.rules.definitions import Automations, EnvironmentLookup
from faqbot.runtime.metrics import Metrics
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class WebhookContext:
    """`secret` signs events; empty turns signatures off. `clock` is epoch seconds.

    `automations` returns the rules that are live, `variable` the value of an environment variable.
    """

    secret: str
    automations: Callable[[], Automations]
    variable: EnvironmentLookup
    store: Store
    events: EventQueue
    metrics: Metrics
    clock: Callable[[], float]


CONTEXT: web.AppKey[WebhookContext] = web.AppKey("webhook_context", WebhookContext)


def webhook_context(request: web.Request) -> WebhookContext:
    return request.app[CONTEXT]
