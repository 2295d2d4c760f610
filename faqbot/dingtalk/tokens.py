"""The app's access token: fetched by one caller at a time, shared by all replicas, renewed before it runs out."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp
from yarl import URL

from faqbot.dingtalk.codes import new_error
from faqbot.dingtalk.http import post
from faqbot.dingtalk.payloads import encode
from faqbot.errors import DeliveryError, StoreError
from faqbot.pacing import retry
from faqbot.telemetry import EventLog

log = EventLog(__name__)

# A token lives two hours; asked again while valid, DingTalk gives the same one with renewed life.
_RENEW_EARLY_SECONDS = 600.0
_FETCH_SECONDS = 30.0


class Shared(Protocol):
    """Where replicas find each other's token."""

    async def note(self, key: str) -> str | None: ...
    async def put_note(self, key: str, value: str, ttl: float) -> None: ...
    async def claim(self, key: str, ttl: float) -> bool: ...
    async def release(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: float
    early: float

    def fresh(self, now: float) -> bool:
        return now < self.until - self.early

    def valid(self, now: float) -> bool:
        return now < self.until


class AccessTokens:
    """`await get()` before each call; `await renew(token)` when DingTalk refused it."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        endpoint: str,
        client_id: str,
        client_secret: str,
        shared: Shared,
        *,
        refreshed: Callable[[str], None] = lambda outcome: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._url = URL(f"{endpoint}/v1.0/oauth2/accessToken")
        self._body = encode({"appKey": client_id, "appSecret": client_secret})
        self._shared = shared
        self._key = f"access-token:{client_id}"
        self._refreshed = refreshed
        self._clock = clock
        self._token: _Token | None = None
        self._one_at_a_time = asyncio.Lock()

    async def get(self) -> str:
        """A valid token. Raises NeedsAdmin for wrong credentials, DeliveryError when none can be had now."""
        now, token = self._clock(), self._token
        if token is not None and (token.fresh(now) or (token.valid(now) and self._one_at_a_time.locked())):
            return token.value
        async with self._one_at_a_time:
            now, token = self._clock(), self._token
            if token is None or not token.fresh(now):
                self._token = token = await self._obtain(token if token is not None and token.valid(now) else None)
            return token.value

    async def renew(self, refused: str) -> str:
        """Another token than the one DingTalk refused; fetched once however many callers come with the same."""
        async with self._one_at_a_time:
            if self._token is None or self._token.value == refused:
                self._token = None
                self._token = await self._obtain(None, refused)
            return self._token.value

    async def _obtain(self, present: _Token | None, refused: str = "") -> _Token:
        """The token another replica fetched meanwhile, else a new one; `present` is good for a little longer."""
        deadline = self._clock() + _FETCH_SECONDS
        try:
            while self._clock() < deadline:
                found = await self._noted()
                if found is not None and found.value != refused and found.fresh(self._clock()):
                    return found
                if await self._shared.claim(self._key, _FETCH_SECONDS):
                    try:
                        return await self._fetch_and_note()
                    finally:
                        await self._shared.release(self._key)
                if present is not None:
                    return present
                await asyncio.sleep(0.1)
        except StoreError as exc:
            log.warning("token.not_shared", reason=str(exc))
        return present if present is not None else await self._fetch()

    async def _noted(self) -> _Token | None:
        text = await self._shared.note(self._key)
        return _Token(*json.loads(text)) if text is not None else None

    async def _fetch_and_note(self) -> _Token:
        token = await self._fetch()
        # From here on the token is good whether or not it can be shared.
        try:
            text = json.dumps([token.value, token.until, token.early])
            await self._shared.put_note(self._key, text, token.until - self._clock())
        except StoreError as exc:
            log.warning("token.not_shared", reason=str(exc))
        return token

    async def _fetch(self) -> _Token:
        try:
            token = await retry(self._ask)
        except DeliveryError as exc:
            self._refreshed(exc.code)
            raise
        self._refreshed("ok")
        log.info("token.refreshed", seconds=round(token.until - self._clock()))
        return token

    async def _ask(self) -> _Token:
        status, answer = await post(self._session, self._url, self._body)
        if (error := new_error(status, answer)) is not None:
            raise error
        try:
            assert answer is not None
            value, seconds = str(answer["accessToken"]), float(answer["expireIn"])
        except (KeyError, TypeError, ValueError):
            raise DeliveryError("钉钉的回答里没有 accessToken", code="bad_token_answer") from None
        return _Token(value, self._clock() + seconds, min(_RENEW_EARLY_SECONDS, seconds / 4))
