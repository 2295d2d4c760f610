"""Client of DingTalk's server API on both hosts: token, rate limit, one retry when the token is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import aiohttp
from yarl import URL

from faqbot.dingtalk.api.http import get, post, post_form
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.dingtalk.wire.error_codes import new_error, old_error
from faqbot.dingtalk.wire.payloads import encode
from faqbot.errors import DeliveryError, NeedsAdmin, StoreError, TokenRefused
from faqbot.runtime.log import EventLog
from faqbot.store.protocol import SlotStore

log = EventLog(__name__)


class OpenApi:
    """Makes at most `qps` calls a second to each path, all replicas together.

    Calls `called(path, code)` after each answer of DingTalk, for counters and the quota.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        openapi_endpoint: str,
        oapi_endpoint: str,
        tokens: AccessTokens,
        slots: SlotStore,
        *,
        qps: int,
        called: Callable[[str, str], None] = lambda path, code: None,
    ) -> None:
        self._session = session
        self._openapi = openapi_endpoint
        self._oapi = oapi_endpoint
        self._tokens = tokens
        self._slots = slots
        self._gap = 1 / qps
        self._called = called

    async def new(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to the new API, api.dingtalk.com, with the token in a header. Raises DeliveryError and its children."""

        async def send(token: str) -> dict[str, Any]:
            headers = {"x-acs-dingtalk-access-token": token}
            status, answer = await post(self._session, URL(f"{self._openapi}{path}"), encode(dict(body)), headers)
            return self._checked(path, new_error(status, answer), answer)

        return await self._call(path, send)

    async def old(self, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """POST to the old API, oapi.dingtalk.com, with the token in the query; GET if `body` is None.

        Raises DeliveryError and its children.
        """

        async def send(token: str) -> dict[str, Any]:
            url = URL(f"{self._oapi}/{path.lstrip('/')}").with_query(access_token=token)
            if body is None:
                status, answer = await get(self._session, url)
            else:
                status, answer = await post(self._session, url, encode(dict(body)))
            return self._checked(path, old_error(status, answer), answer)

        return await self._call(path, send)

    async def upload(self, name: str, content: bytes, kind: Literal["file", "image"] = "file") -> str:
        """Upload a file; return the media id by which messages refer to it. Raises DeliveryError and its children."""
        path = "/media/upload"

        async def send(token: str) -> dict[str, Any]:
            form = aiohttp.FormData()
            form.add_field("media", content, filename=name, content_type="application/octet-stream")
            url = URL(f"{self._oapi}{path}").with_query(access_token=token, type=kind)
            status, answer = await post_form(self._session, url, form)
            return self._checked(path, old_error(status, answer), answer)

        media = (await self._call(path, send)).get("media_id")
        if not media:
            raise DeliveryError("钉钉的回答里没有 media_id", code="bad_upload_answer")
        return str(media)

    async def upload_image(self, name: str, content: bytes) -> str:
        """Upload a picture for the text of a message, as `upload`."""
        return await self.upload(name, content, "image")

    async def _call(self, path: str, send: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        try:
            token = await self._tokens.get()
            await self._take_slot(path)
            try:
                return await send(token)
            except TokenRefused as exc:
                log.warning("token.refused", code=exc.code, api=path)
            token = await self._tokens.renew(token)
            await self._take_slot(path)
            return await send(token)
        except NeedsAdmin as exc:
            log.critical("api.needs_admin", api=path, code=exc.code, what=str(exc))
            raise

    async def _take_slot(self, path: str) -> None:
        try:
            wait = await self._slots.reserve(f"api:{path}", self._gap)
        except StoreError:
            # Without the store the rate cannot be shared between replicas. DingTalk's own limit still applies.
            return
        if wait > 0:
            await asyncio.sleep(wait)

    def _checked(self, path: str, error: DeliveryError | None, answer: dict[str, Any] | None) -> dict[str, Any]:
        self._called(path, error.code if error is not None else "ok")
        if error is not None:
            raise error
        return answer or {}
