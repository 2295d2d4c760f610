"""The app's access token: fetched by one caller at a time, shared by all replicas, renewed before it expires."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import aiohttp
from yarl import URL

from faqbot.dingtalk.api.http import post
from faqbot.dingtalk.wire.error_codes import new_error
from faqbot.dingtalk.wire.payloads import encode
from faqbot.errors import DeliveryError, StoreError
from faqbot.runtime.log import EventLog
from faqbot.runtime.retry import DELAYS_SECONDS, retry
from faqbot.store.protocol import ClaimStore, NoteStore

log = EventLog(__name__)

# A token is valid for two hours. Asked again meanwhile, DingTalk returns the same one with a new expiry.
_RENEW_EARLY_SECONDS = 600.0
# The claim on fetching lasts this long, and other replicas wait this long for the token.
_FETCH_SECONDS = 30.0
# After a failed refresh a token that is still valid is used for this long before the next attempt.
_RETRY_SECONDS = 30.0


class TokenStore(ClaimStore, NoteStore, Protocol):
    """The roles of the store through which replicas share one token."""


@dataclass(frozen=True, slots=True)
class _Token:
    """An access token, valid until `expires_at` (epoch seconds) and renewed `renew_early` seconds before."""

    value: str
    expires_at: float
    renew_early: float

    def is_fresh(self, now: float) -> bool:
        return now < self.expires_at - self.renew_early

    def is_valid(self, now: float) -> bool:
        return now < self.expires_at


class AccessTokens:
    """`await get()` before each call; `await renew(token)` when DingTalk refused it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: str,
        client_id: str,
        client_secret: str,
        shared: TokenStore,
        *,
        refreshed: Callable[[str], None] = lambda outcome: None,
        fetch_seconds: float = _FETCH_SECONDS,
        retry_delays: Sequence[float] = DELAYS_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._url = URL(f"{endpoint}/v1.0/oauth2/accessToken")
        self._body = encode({"appKey": client_id, "appSecret": client_secret})
        self._shared = shared
        self._key = f"access-token:{client_id}"
        self._refreshed = refreshed
        self._fetch_seconds = fetch_seconds
        self._retry_delays = retry_delays
        self._clock = clock
        self._token: _Token | None = None
        self._fetching = asyncio.Lock()

    async def get(self) -> str:
        """Return a valid token. Raises NeedsAdmin for wrong credentials, DeliveryError if none can be fetched now."""
        now, token = self._clock(), self._token
        if token is not None and (token.is_fresh(now) or (token.is_valid(now) and self._fetching.locked())):
            return token.value
        async with self._fetching:
            now, token = self._clock(), self._token
            if token is None or not token.is_fresh(now):
                self._token = token = await self._obtain(token if token is not None and token.is_valid(now) else None)
            return token.value

    async def renew(self, refused: str) -> str:
        """Return a token that was fetched after DingTalk refused this one; fetch once for all callers that hold it."""
        known = self._token
        async with self._fetching:
            # DingTalk may return the same value again, so compare objects: another caller may have fetched meanwhile.
            if self._token is None or (self._token is known and self._token.value == refused):
                self._token = None
                self._token = await self._obtain(None, refused)
            return self._token.value

    async def _obtain(self, present: _Token | None, refused: str = "") -> _Token:
        """Return the token that another replica fetched, else a new one; `present` while another replica fetches."""
        deadline = self._clock() + self._fetch_seconds
        try:
            while self._clock() < deadline:
                if (shared := await self._read_shared(refused)) is not None:
                    return shared
                if await self._shared.claim(self._key, self._fetch_seconds):
                    return await self._fetch_and_share(present, refused)
                if present is not None:
                    return present
                await asyncio.sleep(0.1)
        except StoreError as exc:
            log.warning("token.not_shared", reason=str(exc))
        return await self._fetch(present)

    async def _read_shared(self, refused: str) -> _Token | None:
        """Return the token that another replica shared, if it is fresh and not the refused one."""
        text = await self._shared.note(self._key)
        try:
            value, expires_at, renew_early = json.loads(text or "null")
            token = _Token(str(value), float(expires_at), float(renew_early))
        except (TypeError, ValueError):
            # There is none, or another version wrote it differently.
            return None
        return token if token.value != refused and token.is_fresh(self._clock()) else None

    async def _fetch_and_share(self, present: _Token | None, refused: str) -> _Token:
        """Fetch a token and share it. It can be used even if sharing it fails."""
        try:
            # Another replica may have shared its token between our look and our claim.
            if (shared := await self._read_shared(refused)) is not None:
                return shared
            token = await self._fetch(present)
            if token.is_fresh(self._clock()):
                text = json.dumps([token.value, token.expires_at, token.renew_early])
                await self._share(self._shared.put_note(self._key, text, token.expires_at - self._clock()))
            return token
        finally:
            await self._share(self._shared.release(self._key))

    async def _share(self, step: Awaitable[None]) -> None:
        try:
            await step
        except StoreError as exc:
            log.warning("token.not_shared", reason=str(exc))

    async def _fetch(self, present: _Token | None) -> _Token:
        try:
            token = await retry(self._ask, delays=self._retry_delays)
        except DeliveryError as exc:
            self._refreshed(exc.code)
            if present is None:
                raise
            log.warning("token.not_refreshed", code=exc.code, reason=str(exc))
            rest = present.expires_at - self._clock() - _RETRY_SECONDS
            return replace(present, renew_early=min(present.renew_early, max(0.0, rest)))
        self._refreshed("ok")
        log.info("token.refreshed", seconds=round(token.expires_at - self._clock()))
        return token

    async def _ask(self) -> _Token:
        status, answer = await post(self._session, self._url, self._body)
        if (error := new_error(status, answer)) is not None:
            raise error
        try:
            assert answer is not None
            value, seconds = str(answer["accessToken"] or ""), float(answer["expireIn"])
        except (KeyError, TypeError, ValueError):
            value, seconds = "", 0.0
        if not value or seconds <= 0:
            raise DeliveryError("钉钉的回答里没有 accessToken", code="bad_token_answer")
        return _Token(value, self._clock() + seconds, min(_RENEW_EARLY_SECONDS, seconds / 4))
