"""Send replies through the session webhook that came with a message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import aiohttp
from yarl import URL

from faqbot.dingtalk.api.http import post
from faqbot.dingtalk.wire.error_codes import webhook_error
from faqbot.dingtalk.wire.payloads import encode
from faqbot.errors import DeliveryError

# A webhook that expires within this time is not used any more.
EXPIRY_MARGIN_SECONDS = 60.0


class SessionWebhook:
    """Posts to session webhooks. `endpoints` are the configured hosts, which are trusted besides dingtalk.com."""

    def __init__(self, session: aiohttp.ClientSession, endpoints: Iterable[str]) -> None:
        self._session = session
        self._origins = frozenset((url.scheme, url.host, url.port) for url in map(URL, endpoints))

    def trusted(self, address: str) -> URL | None:
        """Return the address as a URL if it may be called, else None.

        A session webhook comes from outside and could point anywhere. Only https on a dingtalk.com host, or the
        exact origin of a configured endpoint, is called.
        """
        try:
            url = URL(address)
            if url.user is not None or url.password is not None or url.host is None:
                return None
            if (url.scheme, url.host, url.port) in self._origins:
                return url
        except ValueError:
            return None
        host = url.host.lower()
        is_dingtalk = host == "dingtalk.com" or host.endswith(".dingtalk.com")
        return url if is_dingtalk and url.scheme == "https" else None

    async def send(self, address: str, body: dict[str, Any]) -> None:
        """Post one message and return once DingTalk accepted it. Raises DeliveryError and its children."""
        url = self.trusted(address)
        if url is None:
            raise DeliveryError("会话地址不是钉钉的，没有发送", code="untrusted_webhook", permanent=True)
        status, answer = await post(self._session, url, encode(body))
        if (error := webhook_error(status, answer)) is not None:
            raise error
