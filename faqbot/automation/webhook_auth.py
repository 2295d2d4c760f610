"""Who may post an event: by our signature, by a token of their own, or by the signature that 简道云 makes with it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from aiohttp import web

from faqbot.console.web.context import office

MOST_BYTES = 256 * 1024
# So much of a request is read to see whether it is signed, and nothing of it kept beyond MOST_BYTES.
_MOST_READ = 16 * MOST_BYTES
_READ_SECONDS = 15.0
FRESH_SECONDS = 300.0


class Refused(Exception):
    """The answer to a request that is not taken on: HTTP status and what to tell the sender; `why` is for the log."""

    def __init__(self, status: int, text: str, why: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.why = why or str(status)


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known; `replay` is the same for a copy of it, empty where copies cannot be told."""

    event: str
    given_id: str
    body: bytes
    size: int
    replay: str


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


async def authenticated(request: web.Request) -> Call:
    """The request, of whose body no more than MOST_BYTES is kept. Raises Refused with 401 and nothing else to learn."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _by_token(request, token.strip())
    if "X-JDY-Signature" in request.headers:
        return await _by_jiandaoyun(request)
    return await _by_signature(request)


async def _by_signature(request: web.Request) -> Call:
    """base64(HMAC-SHA256(secret, timestamp + newline + body)), the timestamp in milliseconds."""
    secret = office(request).settings.hook_secret
    if not secret:
        _unauthorised("FAQBOT_HOOK_SECRET is not set")
    timestamp = request.headers.get("X-Faqbot-Timestamp", "").strip()
    if not _fresh(request, timestamp, 1000):
        _unauthorised("timestamp")
    digest = hmac.new(secret.encode(), f"{timestamp}\n".encode(), "sha256")
    body, size = await _read(request, _MOST_READ, digest)
    if not _same(base64.b64encode(digest.digest()).decode(), request.headers.get("X-Faqbot-Signature", "").strip()):
        _unauthorised("signature")
    given_id = request.headers.get("X-Faqbot-Id", "").strip()
    return Call(request.match_info["event"], given_id, body, size, hashlib.sha256(digest.digest()).hexdigest())


async def _by_token(request: web.Request, token: str) -> Call:
    opens = False
    # As long for any token: no way out of the loop.
    for known, opens_it in _tokens(request):
        opens |= _same(known, token) and opens_it
    if not opens:
        _unauthorised("token")
    body, size = await _read(request, MOST_BYTES + 1)
    return Call(request.match_info["event"], request.headers.get("X-Faqbot-Id", "").strip(), body, size, "")


async def _by_jiandaoyun(request: web.Request) -> Call:
    """hex(SHA-1(nonce:body:token:timestamp)), the timestamp in seconds; nonce and timestamp stand in the address."""
    nonce, timestamp = request.query.get("nonce", ""), request.query.get("timestamp", "")
    if not _fresh(request, timestamp, 1):
        _unauthorised("timestamp")
    begun = hashlib.sha1(f"{nonce}:".encode("utf-8", "replace"), usedforsecurity=False)
    body, size = await _read(request, _MOST_READ, begun)
    given, opens = request.headers["X-JDY-Signature"].strip().lower(), False
    for known, opens_it in _tokens(request):
        digest = begun.copy()
        digest.update(f":{known}:{timestamp}".encode("utf-8", "replace"))
        opens |= _same(digest.hexdigest(), given) and opens_it
    if not opens:
        _unauthorised("signature")
    given_id = request.headers.get("X-JDY-DeliverId", "").strip()
    return Call(request.match_info["event"], given_id, body, size, hashlib.sha256(given.encode()).hexdigest())


def _unauthorised(why: str) -> NoReturn:
    raise Refused(401, "签名或 token 不对，或者时间戳与现在相差超过 5 分钟", why)


def _tokens(request: web.Request) -> Iterator[tuple[str, bool]]:
    """The tokens that are set, each with whether it opens this event."""
    event, settings = request.match_info["event"], office(request).settings
    for hook in office(request).snapshot.automations.hooks:
        if token := hook.token.value(settings.variable):
            yield token, hook.opens(event)


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode("utf-8", "replace"), given.encode("utf-8", "replace"))


def _fresh(request: web.Request, timestamp: str, per_second: int) -> bool:
    """Whether a timestamp is within five minutes of now, either way."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 15):
        return False
    return abs(int(timestamp) / per_second - office(request).clock()) <= FRESH_SECONDS


async def _read(request: web.Request, most: int, *digests: _Digest) -> tuple[bytes, int]:
    """The first MOST_BYTES of the body and how many there were, looking at no more than `most`; digests get all."""
    kept, size = bytearray(), 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for part in request.content.iter_any():
                for digest in digests:
                    digest.update(part)
                size += len(part)
                kept += part[: max(0, MOST_BYTES - len(kept))]
                if size >= most:
                    break
    except TimeoutError:
        raise Refused(408, "请求没有在 15 秒内发完") from None
    return bytes(kept), size
