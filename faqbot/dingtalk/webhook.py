"""Answering through the session webhook that came with a message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import aiohttp
from yarl import URL

from faqbot.dingtalk.payloads import encode
from faqbot.errors import DeliveryError, SessionGone

_TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)
_EXPIRED = {300001, 300005}
_BUSY = {-1}
_THROTTLED = {410100, 130101}
# A webhook that runs out within this time is not used any more.
EXPIRY_MARGIN = 60.0


class Webhook:
    """Posts bodies to session webhooks; `endpoints` are the configured hosts, allowed besides dingtalk.com."""

    def __init__(self, session: aiohttp.ClientSession, endpoints: Iterable[str]) -> None:
        self._session = session
        self._origins = frozenset(URL(e).origin() for e in endpoints)

    def trusted(self, address: str) -> URL | None:
        """The address as a URL if it may be called, else None.

        A session webhook comes from outside and could point anywhere: only https on a dingtalk.com host, or
        the very origin of a configured endpoint, is called.
        """
        try:
            url = URL(address)
            origin = url.origin()
        except ValueError:
            return None
        if url.user is not None or url.password is not None or url.host is None:
            return None
        if origin in self._origins:
            return url
        host = url.host.lower()
        ours = host == "dingtalk.com" or host.endswith(".dingtalk.com")
        return url if ours and url.scheme == "https" else None

    async def send(self, address: str, body: dict[str, Any]) -> None:
        """Post one message. Raises SessionGone or DeliveryError; returns only when DingTalk took it."""
        url = self.trusted(address)
        if url is None:
            raise DeliveryError("会话地址不是钉钉的，没有发送", code="untrusted_webhook", permanent=True)
        try:
            async with self._session.post(
                url,
                data=encode(body),
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                status = response.status
                answer = await _json(response)
        except aiohttp.ConnectionTimeoutError as exc:
            raise DeliveryError("连接钉钉超时", code="connect_timeout") from exc
        except TimeoutError as exc:
            # The message may have arrived: repeating it could answer twice.
            raise DeliveryError("钉钉没有在时限内回应，不知道是否送达", code="timeout", permanent=True) from exc
        except aiohttp.ClientError as exc:
            raise DeliveryError(f"连接钉钉失败（{type(exc).__name__}）", code="connection") from exc
        _check(status, answer)


def _check(status: int, answer: dict[str, Any] | None) -> None:
    """Raise unless the answer says errcode 0; errors come with HTTP 200 too."""
    if answer is None or "errcode" not in answer:
        # 3xx would lead elsewhere and is never followed; other 4xx do not get better by repeating.
        permanent = 300 <= status < 500 and status not in (408, 429)
        raise DeliveryError(f"钉钉返回了 HTTP {status}，不是预期的 JSON", code=f"http_{status}", permanent=permanent)
    try:
        code = int(answer["errcode"])
    except (TypeError, ValueError):
        raise DeliveryError("钉钉返回的 errcode 不是数字", code="bad_errcode", permanent=True) from None
    if code == 0:
        return
    text = f"钉钉没有接收：{str(answer.get('errmsg', ''))[:200]}（{code}）"
    if code in _EXPIRED:
        raise SessionGone(text, code=str(code))
    raise DeliveryError(text, code=str(code), permanent=code not in _BUSY | _THROTTLED)


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any] | None:
    try:
        answer = await response.json(content_type=None)
    except (ValueError, aiohttp.ClientPayloadError, asyncio.IncompleteReadError):
        return None
    return answer if isinstance(answer, dict) else None
