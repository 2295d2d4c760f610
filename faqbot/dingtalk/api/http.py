"""Send one HTTP request to DingTalk; failures tell whether the request may have arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from yarl import URL

from faqbot.errors import DeliveryError, OutcomeUnknown

TIMEOUT = aiohttp.ClientTimeout(total=15, connect=5)


async def post(
    session: aiohttp.ClientSession, url: URL, data: bytes, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any] | None]:
    """POST; return the HTTP status and the JSON object of the answer, None if it is none.

    Raises DeliveryError, OutcomeUnknown, without the URL in their text: its query is a secret.
    """
    json_headers = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return await _exchange(session, "POST", url, data=data, headers=json_headers)


async def get(session: aiohttp.ClientSession, url: URL) -> tuple[int, dict[str, Any] | None]:
    """GET, as `post`. Raises DeliveryError, OutcomeUnknown."""
    return await _exchange(session, "GET", url)


async def post_form(
    session: aiohttp.ClientSession, url: URL, form: aiohttp.FormData
) -> tuple[int, dict[str, Any] | None]:
    """POST a form with a file in it, as `post`. Raises DeliveryError, OutcomeUnknown."""
    return await _exchange(session, "POST", url, data=form)


async def _exchange(
    session: aiohttp.ClientSession, method: str, url: URL, **options: Any
) -> tuple[int, dict[str, Any] | None]:
    try:
        async with session.request(method, url, timeout=TIMEOUT, allow_redirects=False, **options) as response:
            return response.status, await _json(response)
    except aiohttp.ConnectionTimeoutError as exc:
        raise DeliveryError("连接钉钉超时", code="connect_timeout") from exc
    except (aiohttp.ClientConnectorError, aiohttp.ClientProxyConnectionError) as exc:
        raise DeliveryError(f"连不上钉钉（{type(exc).__name__}）", code="connect") from exc
    except TimeoutError as exc:
        raise OutcomeUnknown("钉钉没有在时限内回应，不知道是否送达", code="timeout") from exc
    except aiohttp.ClientHttpProxyError as exc:
        raise DeliveryError(f"代理拒绝了连接（HTTP {exc.status}）", code="proxy") from exc
    except aiohttp.ClientError as exc:
        raise OutcomeUnknown(f"连接中断（{type(exc).__name__}），不知道是否送达", code="reset") from exc


async def _json(response: aiohttp.ClientResponse) -> dict[str, Any] | None:
    try:
        answer = await response.json(content_type=None)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
