"""Sessions, one-time sign-in links and the sign-in throttle, all in the store so that replicas share them.

The store holds only hashes of tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import platform
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from faqbot.errors import StoreError
from faqbot.store.protocol import ClaimStore, NoteStore

IDLE_SECONDS = 12 * 3600.0
MAX_SESSION_SECONDS = 30 * 86400.0
LINK_SECONDS = 600.0
# Each request prolongs a session; the store is written at most this often.
_TOUCH_INTERVAL_SECONDS = 300.0
_WINDOW_SECONDS = 300.0
_MAX_FAILURES_PER_ADDRESS, _MAX_FAILURES = 5, 40
_ANNOUNCE_INTERVAL_SECONDS, _ANNOUNCED_SECONDS = 60.0, 180.0
# Redis refuses an expiry of zero.
_EXPIRE_NOW_SECONDS = 0.001


class SessionStore(ClaimStore, NoteStore, Protocol):
    """The roles of the store that hold sessions and sign-in links."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; `name` is shown beside their changes."""

    name: str
    token: str


class Sessions:
    """Sessions of one console. They end when its password changes, because the hash includes it."""

    def __init__(self, store: SessionStore, password: str) -> None:
        self._store = store
        self._password = password
        self._touched: dict[str, float] = {}

    async def begin(self, name: str) -> Session:
        token = secrets.token_urlsafe(32)
        key = self._key(token)
        # Two notes: prolonging the second cannot bring back a session that was ended meanwhile.
        await self._store.put_note(f"console:session:{key}", name, MAX_SESSION_SECONDS)
        await self._store.put_note(f"console:seen:{key}", "", IDLE_SECONDS)
        return Session(name, token)

    async def find(self, token: str) -> Session | None:
        if not token:
            return None
        key = self._key(token)
        name = await self._store.note(f"console:session:{key}")
        if not name or await self._store.note(f"console:seen:{key}") is None:
            return None
        if time.monotonic() - self._touched.get(key, -_TOUCH_INTERVAL_SECONDS) >= _TOUCH_INTERVAL_SECONDS:
            if len(self._touched) > 1000:
                self._touched.clear()
            self._touched[key] = time.monotonic()
            await self._store.put_note(f"console:seen:{key}", "", IDLE_SECONDS)
        return Session(name, token)

    async def end(self, token: str) -> None:
        await self._store.put_note(f"console:session:{self._key(token)}", "", _EXPIRE_NOW_SECONDS)

    def _key(self, token: str) -> str:
        return _hash(f"{token}\0{self._password}")


class LoginThrottle:
    """Limits wrong sign-in attempts in five minutes, for one address and for all together."""

    def __init__(self, store: SessionStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def take(self, address: str) -> tuple[float, list[str]]:
        """Count an attempt before it is judged; return the seconds to wait (0: go on), and the claims to give back."""
        window, passed = divmod(self._clock(), _WINDOW_SECONDS)
        booked: list[str] = []
        for name, limit in ((f"{_hash(address)[:16]}", _MAX_FAILURES_PER_ADDRESS), ("all", _MAX_FAILURES)):
            slot = await self._free(f"console:try:{name}:{int(window)}", limit)
            if slot is None:
                await self.give_back(booked)
                return _WINDOW_SECONDS - passed, []
            booked.append(slot)
        return 0.0, booked

    async def give_back(self, booked: list[str]) -> None:
        """Release the claims of an attempt that was right or not made."""
        for slot in booked:
            await self._store.release(slot)

    async def _free(self, key: str, limit: int) -> str | None:
        # Once all slots are taken, one note says so; that saves a claim for each slot.
        if await self._store.note(f"{key}:full") is not None:
            return None
        for number in range(limit):
            if await self._store.claim(f"{key}:{number}", _WINDOW_SECONDS):
                return f"{key}:{number}"
        await self._store.put_note(f"{key}:full", "", _WINDOW_SECONDS)
        return None


async def new_link(store: SessionStore, url: str) -> str:
    """Create a link to the console at `url` that signs one person in, once, within ten minutes."""
    token = secrets.token_urlsafe(32)
    await store.put_note(f"console:link:{_hash(token)}", "", LINK_SECONDS)
    return f"{url}/login?link={token}"


async def link_holds(store: SessionStore, token: str) -> bool:
    return bool(token) and await store.note(f"console:link:{_hash(token)}") is not None


async def use_link(store: SessionStore, token: str) -> bool:
    """Use up a valid link; return False if it is not valid or somebody else was first."""
    if not await link_holds(store, token) or not await store.claim(f"console:used:{_hash(token)}", LINK_SECONDS * 2):
        return False
    await store.put_note(f"console:link:{_hash(token)}", "", _EXPIRE_NOW_SECONDS)
    return True


async def announce(store: SessionStore, url: str) -> None:
    """Keep the address of this machine's console in the store, until cancelled."""
    try:
        while True:
            with contextlib.suppress(StoreError):
                await store.put_note(_address_note_key(), reachable(url), _ANNOUNCED_SECONDS)
            await asyncio.sleep(_ANNOUNCE_INTERVAL_SECONDS)
    finally:
        with contextlib.suppress(StoreError):
            await store.put_note(_address_note_key(), "", _EXPIRE_NOW_SECONDS)


async def announced(store: SessionStore) -> str | None:
    """Return the address of the console that runs on this machine, if one does."""
    return await store.note(_address_note_key())


def reachable(url: str) -> str:
    """Return the address for a browser on this machine, also where the console listens on all addresses."""
    parts = urlsplit(url)
    if parts.hostname in ("0.0.0.0", "::"):
        return f"{parts.scheme}://127.0.0.1:{parts.port}"
    return url


def _address_note_key() -> str:
    return f"console:url:{platform.node()}"


def _hash(text: str) -> str:
    # The password may hold bytes that are not UTF-8; they arrive as lone surrogates.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
