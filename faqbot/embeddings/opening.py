"""Chooses the encoder by the settings: an endpoint where one is set, else the built-in one where it is installed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp

from faqbot.embeddings.builtin import BuiltInEncoder, load_engine
from faqbot.embeddings.embeddings import Embeddings
from faqbot.embeddings.encoder import TextEncoder
from faqbot.embeddings.endpoint import EndpointEncoder
from faqbot.errors import EncoderMissing
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.settings import Settings
from faqbot.store.protocol import VectorStore

log = EventLog(__name__)


async def open_encoder(settings: Settings, session: aiohttp.ClientSession) -> TextEncoder:
    """Return the encoder to compare by; raises EncoderMissing, with the reason for people, where words alone decide."""
    if settings.embeddings_url:
        return EndpointEncoder(session, settings.embeddings_url, settings.embeddings_model, settings.embeddings_key)
    if settings.meaning == "off":
        raise EncoderMissing("FAQBOT_MEANING 是 off")
    return BuiltInEncoder(await asyncio.to_thread(load_engine))


@contextlib.asynccontextmanager
async def open_embeddings(
    settings: Settings, session: aiohttp.ClientSession, store: VectorStore, metrics: Metrics | None = None
) -> AsyncIterator[Embeddings | None]:
    """Yield the vectors of the chosen encoder, and close it at the end; None where words alone decide."""
    try:
        encoder = await open_encoder(settings, session)
    except EncoderMissing as exc:
        write = log.warning if exc.broken else log.info
        write("embeddings.off", reason=str(exc))
        yield None
        return
    embeddings = Embeddings(encoder, store, metrics)
    log.info("embeddings.on", encoder=encoder.label)
    try:
        yield embeddings
    finally:
        embeddings.close()
