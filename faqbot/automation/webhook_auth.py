"""Authenticate webhook requests: by faqbot's own signature, a bearer token, or 简道云's signature."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from aiohttp import web

from faqbot.automation.webhook_context import webhook_context

MAX_BYTES = 256 * 1024
# A signature covers the whole body, so a body over MAX_BYTES is still read and hashed, up to this size, to tell a
# signed request that is too large (413) from an unsigned one (401). Nothing beyond MAX_BYTES is kept.
_MAX_HASHED_BYTES = 16 * MAX_BYTES
_READ_SECONDS = 15.0
# Timestamps may differ from our clock by this much, in either direction.
FRESH_SECONDS = 300.0


class Refused(Exception):
    """The request is refused with this HTTP status and text for the sender; `reason` is for the log only."""

    def __init__(self, status: int, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason or str(status)


@dataclass(frozen=True, slots=True)
class AuthenticatedRequest:
    """A request whose sender is known.

    `body` holds the first MAX_BYTES of the `size` bytes received. `replay_id` is the same for a copy of the request
    and empty where copies cannot be told apart from new requests.
    """

    event: str
    given_id: str
    body: bytes
    size: int
    replay_id: str


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


async def authenticate(request: web.Request) -> AuthenticatedRequest:
    """Read the request and verify its sender.

    Raises Refused with 401, which tells the sender nothing else (not even whether the event exists), or with 408.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _by_token(request, token.strip())
    if "X-JDY-Signature" in request.headers:
        return await _by_jiandaoyun(request)
    return await _by_signature(request)


async def _by_signature(request: web.Request) -> AuthenticatedRequest:
    """Verify base64(HMAC-SHA256(secret, timestamp + newline + body)); the timestamp is in milliseconds."""
    secret = webhook_context(request).secret
    if not secret:
        _refuse_unauthorised("FAQBOT_HOOK_SECRET is not set")
    timestamp = request.headers.get("X-Faqbot-Timestamp", "").strip()
    if not _is_fresh(request, timestamp, 1000):
        _refuse_unauthorised("timestamp")
    digest = hmac.new(secret.encode(), f"{timestamp}\n".encode(), "sha256")
    body, size = await _read(request, _MAX_HASHED_BYTES, digest)
    signature = request.headers.get("X-Faqbot-Signature", "").strip()
    if not _equal(base64.b64encode(digest.digest()).decode(), signature):
        _refuse_unauthorised("signature")
    given_id = request.headers.get("X-Faqbot-Id", "").strip()
    replay_id = hashlib.sha256(digest.digest()).hexdigest()
    return AuthenticatedRequest(request.match_info["event"], given_id, body, size, replay_id)


async def _by_token(request: web.Request, token: str) -> AuthenticatedRequest:
    permitted = False
    # Compare with every token: leaving the loop early would tell by the time taken which token matched.
    for known, permits in _tokens(request):
        permitted |= _equal(known, token) and permits
    if not permitted:
        _refuse_unauthorised("token")
    body, size = await _read(request, MAX_BYTES + 1)
    given_id = request.headers.get("X-Faqbot-Id", "").strip()
    return AuthenticatedRequest(request.match_info["event"], given_id, body, size, "")


async def _by_jiandaoyun(request: web.Request) -> AuthenticatedRequest:
    """Verify hex(SHA-1(nonce:body:token:timestamp)); nonce and timestamp (in seconds) are in the query string."""
    nonce, timestamp = request.query.get("nonce", ""), request.query.get("timestamp", "")
    if not _is_fresh(request, timestamp, 1):
        _refuse_unauthorised("timestamp")
    prefix = hashlib.sha1(f"{nonce}:".encode("utf-8", "replace"), usedforsecurity=False)
    body, size = await _read(request, _MAX_HASHED_BYTES, prefix)
    signature, permitted = request.headers["X-JDY-Signature"].strip().lower(), False
    for known, permits in _tokens(request):
        digest = prefix.copy()
        digest.update(f":{known}:{timestamp}".encode("utf-8", "replace"))
        permitted |= _equal(digest.hexdigest(), signature) and permits
    if not permitted:
        _refuse_unauthorised("signature")
    given_id = request.headers.get("X-JDY-DeliverId", "").strip()
    replay_id = hashlib.sha256(signature.encode()).hexdigest()
    return AuthenticatedRequest(request.match_info["event"], given_id, body, size, replay_id)


def _refuse_unauthorised(reason: str) -> NoReturn:
    raise Refused(401, "签名或 token 不对，或者时间戳与现在相差超过 5 分钟", reason)


def _tokens(request: web.Request) -> Iterator[tuple[str, bool]]:
    """Yield each token that is set, and whether it permits the event of this request."""
    event, context = request.match_info["event"], webhook_context(request)
    for hook in context.automations().webhook_tokens:
        if token := hook.token.resolve(context.variable):
            yield token, hook.allows(event)


def _equal(known: str, candidate: str) -> bool:
    return hmac.compare_digest(known.encode("utf-8", "replace"), candidate.encode("utf-8", "replace"))


def _is_fresh(request: web.Request, timestamp: str, units_per_second: int) -> bool:
    """Return True if a timestamp is at most FRESH_SECONDS away from now."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 15):
        return False
    return abs(int(timestamp) / units_per_second - webhook_context(request).clock()) <= FRESH_SECONDS


async def _read(request: web.Request, max_read: int, *hashes: _Hash) -> tuple[bytes, int]:
    """Read up to about `max_read` bytes into `hashes`; return the first MAX_BYTES and the number of bytes read."""
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(_READ_SECONDS):
            async for part in request.content.iter_any():
                for digest in hashes:
                    digest.update(part)
                size += len(part)
                body += part[: max(0, MAX_BYTES - len(body))]
                if size >= max_read:
                    break
    except TimeoutError:
        raise Refused(408, "请求没有在 15 秒内发完") from None
    return bytes(body), size
