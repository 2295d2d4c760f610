"""Resources shared by all parts of one process: settings, HTTP session, store, metrics, clock."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime

import aiohttp

from faqbot.runtime.metrics import Metrics
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Resources:
    """Handed to every builder; `clock` gives epoch seconds."""

    settings: Settings
    session: aiohttp.ClientSession
    store: Store
    metrics: Metrics
    clock: Callable[[], float]

    def today(self) -> date:
        """Return the date of `clock` in the configured time zone."""
        return datetime.fromtimestamp(self.clock(), self.settings.timezone).date()


@contextlib.asynccontextmanager
async def open_resources(
    settings: Settings, clock: Callable[[], float] = time.time, *, store_clock: Callable[[], float] | None = None
) -> AsyncIterator[Resources]:
    """Open the store and the HTTP session, and close them at the end. Raises StartError.

    The store forgets by `store_clock`, which is `clock` unless given.
    """
    store = await open_store(settings.store, store_clock or clock)
    try:
        async with open_session(settings) as session:
            yield Resources(settings, session, store, Metrics(), clock)
    finally:
        await store.close()


def open_session(settings: Settings) -> aiohttp.ClientSession:
    """Make the one session for all outgoing calls; proxies and certificates come from the environment."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=not settings.local)
