"""Ask DingTalk's gateway for a stream connection: the endpoint and a ticket for it."""

from __future__ import annotations

import json
import socket
from importlib.metadata import version

import aiohttp

from faqbot.errors import AuthFailed, FaqbotError

BOT_MESSAGES = "/v1.0/im/bot/messages/get"
TOPICS = (BOT_MESSAGES,)
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class OpenFailed(FaqbotError):
    """The gateway did not give a connection this time; a later attempt may succeed."""


def gateway_url(endpoint: str) -> str:
    return f"{endpoint}/v1.0/gateway/connections/open"


async def open_ticket(
    session: aiohttp.ClientSession, url: str, client_id: str, client_secret: str, *, events: bool = False
) -> dict[str, str]:
    """Ask the gateway for a websocket endpoint and a ticket, valid for one connection within 90 seconds.

    Raises AuthFailed for 401, OpenFailed for any other refusal, aiohttp.ClientError, TimeoutError.
    """
    subscriptions = [{"type": "CALLBACK", "topic": topic} for topic in TOPICS]
    body = {
        "clientId": client_id,
        "clientSecret": client_secret,
        "subscriptions": [*subscriptions, {"type": "EVENT", "topic": "*"}] if events else subscriptions,
        "ua": f"dingtalk-sdk-python/v{version('dingtalk-stream')}-union",
        "localIp": _local_ip(),
    }
    # Without the Accept header the gateway may answer in XML.
    headers = {"Accept": "application/json"}
    async with session.post(url, json=body, headers=headers, timeout=_TIMEOUT) as response:
        text = await response.text(errors="replace")
    if response.status == 401:
        raise AuthFailed(
            "钉钉拒绝了登录（401 authFailed）：请核对 DINGTALK_CLIENT_ID 和 DINGTALK_CLIENT_SECRET"
            "（开发者后台 > 应用 > 凭证与基础信息），注意不要多出空格或换行"
        )
    if response.status != 200:
        raise OpenFailed(f"HTTP {response.status}: {_code(text)}")
    try:
        answer = json.loads(text)
        return {"endpoint": str(answer["endpoint"]), "ticket": str(answer["ticket"])}
    except (ValueError, KeyError, TypeError):
        raise OpenFailed("网关的回答里没有 endpoint 和 ticket") from None


def _local_ip() -> str:
    """Return the address this machine sends from, for DingTalk's logs. Connecting a UDP socket sends no packet."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("8.8.8.8", 80))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _code(text: str) -> str:
    """Return the gateway's error code. The body may be a proxy's HTML page instead of JSON."""
    try:
        answer = json.loads(text)
        return str(answer.get("code") or answer.get("message") or "")[:200]
    except (ValueError, AttributeError):
        return "the answer is not JSON"
