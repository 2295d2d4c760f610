"""The only place where objects meet: Settings in, everything started and stopped on one exit stack."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import aiohttp

from faqbot.bot import Bot
from faqbot.console.server import open_console
from faqbot.dingtalk.stream import StreamConnection
from faqbot.dingtalk.webhook import Webhook
from faqbot.embeddings import Embeddings
from faqbot.errors import KnowledgeMissing, StartError
from faqbot.features import Floats
from faqbot.knowledge.library import Library
from faqbot.knowledge.shelf import FolderShelf
from faqbot.settings import Settings
from faqbot.store import Store, open_store
from faqbot.telemetry import EventLog

log = EventLog(__name__)

# Replies under way get this long at shutdown; service managers kill after ten seconds.
GRACE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Running:
    """The started parts, for those who stand beside the app: tests and the sandbox."""

    bot: Bot
    library: Library
    stream: StreamConnection
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
        store = await open_store(settings.store)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        embeddings = open_embeddings(settings, session, store)
        embed = embeddings.of_wordings if embeddings else None
        library = Library(FolderShelf(Path(settings.knowledge)), today, settings.strictness, embed, keep=store)
        stack.push_async_callback(library.close)
        try:
            await library.refresh()
        except KnowledgeMissing as exc:
            raise StartError(str(exc)) from exc
        webhook = Webhook(session, (settings.openapi_endpoint, settings.oapi_endpoint))
        bot = Bot(library, store, webhook, embeddings, today=today)
        stream = StreamConnection(
            session, settings.openapi_endpoint, settings.client_id, settings.client_secret, bot.receive
        )
        console_url = await open_console(stack, settings.host, settings.port, ready=lambda: stream.connected)
        # From here on, leaving the stack runs bottom up: stop the stream, finish replies, close the rest.
        stack.push_async_callback(bot.drain, GRACE_SECONDS)
        await bot.take_over()
        watching = asyncio.create_task(library.watch())
        stack.push_async_callback(_cancel, watching)
        connection = asyncio.create_task(stream.run())
        stack.push_async_callback(_cancel, connection)
        stack.push_async_callback(stream.stop)
        log.info("bot.started", console=console_url, entries=len(library.current.entries))
        yield Running(bot, library, stream, console_url, connection)
        log.info("bot.stopping")


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
        session = await stack.enter_async_context(aiohttp.ClientSession())
        embeddings = open_embeddings(settings, session, store)
        assert embeddings is not None
        return [await embeddings.of_wordings(texts) for texts in lists]


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C. Raises StartError."""
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
