"""A small company in the stand-in's contacts, and the real client that looks at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.sandbox.server import FakeDingTalk
from faqbot.store.protocol import Store


class NoPace:
    """Every slot is free: the pace has tests of its own."""

    async def reserve(self, key: str, gap: float) -> float:
        return 0.0


def open_api(
    ding: FakeDingTalk,
    session: aiohttp.ClientSession,
    store: Store,
    called: Callable[[str, str], None] = lambda path, code: None,
) -> OpenApi:
    tokens = AccessTokens(session, ding.url, ding.client_id, ding.client_secret, store)
    return OpenApi(session, ding.url, ding.url, tokens, NoPace(), qps=20, called=called)


@dataclass(frozen=True)
class Company:
    """研发中心 with 后端组 and 前端组, and 市场部; 老周 leads 研发中心, 小李 works in 后端组."""

    ding: FakeDingTalk
    api: OpenApi
    store: Store
    directory: ContactsCache
    research: int
    backend: int
    frontend: int
    market: int

    def calls(self, path: str) -> int:
        return sum(call.path == path for call in self.ding.oapi.calls)


def found_company(ding: FakeDingTalk, session: aiohttp.ClientSession, store: Store) -> Company:
    book = ding.contacts
    research = book.add_department("研发中心")
    backend, frontend = book.add_department("后端组", research), book.add_department("前端组", research)
    market = book.add_department("市场部")
    book.hire("老周", [research], userid="zhou", leads=[research])
    book.hire("小李", [backend], userid="li", mobile="13800000001", supervisor="zhou", title="工程师")
    book.hire("小王", [market], userid="wang", mobile="13800000002")
    api = open_api(ding, session, store)
    return Company(ding, api, store, ContactsCache(api, store), research, backend, frontend, market)
