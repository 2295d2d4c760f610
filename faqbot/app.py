"""The only place where objects meet: Settings in, everything started and stopped on one exit stack."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import aiohttp

from faqbot.bot import Bot
from faqbot.console.server import Health, open_console
from faqbot.delivery import Delivery
from faqbot.dingtalk.openapi import OpenApi, Slots
from faqbot.dingtalk.robot import Robot
from faqbot.dingtalk.stream import StreamConnection
from faqbot.dingtalk.tokens import AccessTokens
from faqbot.dingtalk.tokens import Shared as SharedTokens
from faqbot.dingtalk.webhook import Webhook
from faqbot.embeddings import Embeddings
from faqbot.errors import KnowledgeMissing, StartError, StoreError
from faqbot.features import Floats
from faqbot.knowledge.library import Library
from faqbot.knowledge.shelf import FolderShelf
from faqbot.metrics import Metrics
from faqbot.quota import Quota
from faqbot.settings import Settings
from faqbot.store import Store, open_store
from faqbot.telemetry import EventLog

log = EventLog(__name__)

# Replies under way get this long at shutdown; service managers kill after ten seconds.
GRACE_SECONDS = 4.0
_SWITCH_SECONDS = 0.0005
_QUOTA_EVERY = 5.0
_PURGE_EVERY = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Running:
    """The started parts, for those who stand beside the app: tests and the sandbox."""

    bot: Bot
    library: Library
    stream: StreamConnection
    store: Store
    metrics: Metrics
    console_url: str
    finished: asyncio.Task[None]


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Start the bot; on leaving, stop taking messages, finish the replies under way and close everything.

    Raises StartError where it cannot start. `Running.finished` ends, with AuthFailed, if DingTalk refuses the
    credentials at the first connection.
    """

    def today() -> date:
        return datetime.now(settings.timezone).date()

    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        store = await open_store(settings.store)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(http_session(settings))
        embeddings = open_embeddings(settings, session, store)
        embed = embeddings.of_wordings if embeddings else None
        library = Library(
            FolderShelf(Path(settings.knowledge)), today, settings.strictness, embed, keep=store, metrics=metrics
        )
        stack.push_async_callback(library.close)
        try:
            await library.refresh()
        except KnowledgeMissing as exc:
            raise StartError(str(exc)) from exc
        quota = Quota(store, metrics, calls=settings.quota_calls, messages=settings.quota_messages, today=today)
        robot = Robot(open_api(settings, session, store, metrics, quota.call), settings.robot_code)
        webhook = Webhook(session, (settings.openapi_endpoint, settings.oapi_endpoint))
        delivery = Delivery(webhook, robot, store, metrics, quota)
        bot = Bot(library, store, delivery, quota, metrics, embeddings, today=today)
        stream = StreamConnection(
            session,
            settings.openapi_endpoint,
            settings.client_id,
            settings.client_secret,
            bot.receive,
            metrics,
            proxied=not settings.local,
        )
        metrics.watch("stream_connected", "Whether bot messages can arrive now", lambda: stream.connected)
        metrics.watch("store_up", "Whether the store took the last step", lambda: bot.inbox.store_ok)
        health = Health(stream=lambda: stream.connected, store=lambda: bot.inbox.store_ok)
        console_url = await open_console(
            stack, settings.host, settings.port, health=health, metrics=metrics, password=settings.console_password
        )
        # From here on, leaving the stack runs bottom up: stop the stream, finish replies, close the rest.
        stack.push_async_callback(_last_words, quota)
        stack.push_async_callback(bot.drain, GRACE_SECONDS)
        await bot.inbox.start()
        for loop in (library.watch(), bot.inbox.keep(), keep_house(store, quota, settings.keep_days)):
            stack.push_async_callback(_cancel, asyncio.create_task(loop))
        connection = asyncio.create_task(stream.run())
        stack.push_async_callback(_cancel, connection)
        stack.push_async_callback(stream.stop)
        log.info("bot.started", console=console_url, entries=len(library.current.entries))
        yield Running(bot, library, stream, store, metrics, console_url, connection)
        log.info("bot.stopping")


def http_session(settings: Settings) -> aiohttp.ClientSession:
    """The one session for everything that goes out; proxies and certificates are the environment's."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=not settings.local)


class Shared(SharedTokens, Slots, Protocol):
    """What callers of the server API share between replicas."""


def open_api(
    settings: Settings,
    session: aiohttp.ClientSession,
    store: Shared,
    metrics: Metrics,
    called: Callable[[str, str], None] = lambda path, code: None,
) -> OpenApi:
    """The client of DingTalk's server API, its token shared through the store."""

    def count(path: str, code: str) -> None:
        metrics.api_calls.labels(path, code).inc()
        called(path, code)

    tokens = AccessTokens(
        session,
        settings.openapi_endpoint,
        settings.client_id,
        settings.client_secret,
        store,
        refreshed=lambda result: metrics.tokens.labels(result).inc(),
    )
    return OpenApi(
        session,
        settings.openapi_endpoint,
        settings.oapi_endpoint,
        tokens,
        store,
        qps=settings.qps,
        called=count,
    )


async def keep_house(store: Store, quota: Quota, keep_days: int) -> None:
    """Write the quota down every few seconds and, every few hours, delete what is too old to be kept."""
    purge_at = 0.0
    while True:
        try:
            await quota.watch()
            # One replica is enough.
            if time.time() >= purge_at and await store.claim("purge", _PURGE_EVERY - 60):
                gone = await store.purge(time.time() - keep_days * 86400)
                log.info("store.purged", questions=gone)
            if time.time() >= purge_at:
                purge_at = time.time() + _PURGE_EVERY
        except StoreError:
            # The inbox says so; here it is only tried again.
            pass
        except Exception as exc:
            log.error("house.failed", cause=exc)
        await asyncio.sleep(_QUOTA_EVERY)


async def _last_words(quota: Quota) -> None:
    with contextlib.suppress(StoreError):
        await quota.flush()


def open_embeddings(settings: Settings, session: aiohttp.ClientSession, store: Store) -> Embeddings | None:
    """The embeddings endpoint, where one is set."""
    if not settings.embeddings_url:
        return None
    return Embeddings(session, settings.embeddings_url, settings.embeddings_model, settings.embeddings_key, store)


async def embed_all(settings: Settings, *lists: Sequence[str]) -> list[Floats]:
    """Vectors for whole lists of texts, remembered in the configured store. Raises EmbeddingsError, StartError."""
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(settings.store)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(http_session(settings))
        embeddings = open_embeddings(settings, session, store)
        assert embeddings is not None
        return [await embeddings.of_wordings(texts) for texts in lists]


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C. Raises StartError."""
    # The store's thread needs Python's lock many times for one commit; by default each time may take five milliseconds
    # from a busy loop, and acknowledgements wait for commits.
    sys.setswitchinterval(_SWITCH_SECONDS)
    stopped = until_stopped()
    async with running(settings) as app:
        await asyncio.wait({stopped, app.finished}, return_when=asyncio.FIRST_COMPLETED)
        if app.finished.done():
            await app.finished


def until_stopped() -> asyncio.Future[None]:
    """A future that is done when the process is asked to stop."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no signal handlers on the loop; there Ctrl-C arrives as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    return stopped


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
