"""Checks the connection to DingTalk: network, clock, credentials, permission to send, stream."""

from __future__ import annotations

import asyncio
import os
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from faqbot.cli.doctor.findings import Finding, Level
from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.stream.gateway import OpenFailed, gateway_url, open_ticket
from faqbot.errors import AuthFailed, DeliveryError, NeedsAdmin
from faqbot.settings import Settings

# Signatures of group robots are refused an hour off; a minute already shows that the clock is not synchronised.
_SKEW_WARNING_SECONDS, _SKEW_BAD_SECONDS = 60.0, 1800.0
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_CONNECT_SECONDS = 5.0


async def fetch_dingtalk_time(session: aiohttp.ClientSession, settings: Settings) -> float | None:
    """Read DingTalk's clock (epoch seconds) from an answer; None if it gives none.

    Raises aiohttp.ClientError, TimeoutError.
    """
    async with session.head(settings.openapi_endpoint, timeout=_TIMEOUT, allow_redirects=False) as response:
        try:
            return parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, ValueError, OverflowError):
            return None


def network_failure(settings: Settings, cause: Exception) -> Finding:
    host = urlsplit(settings.openapi_endpoint).hostname
    advice = "请检查网络、代理（HTTPS_PROXY）和证书（SSL_CERT_FILE）"
    return Finding("网络", Level.BAD, f"连不上 {host}（{type(cause).__name__}）：{advice}")


def check_clock(dingtalk_time: float | None) -> Finding:
    name = "时钟"
    if dingtalk_time is None:
        return Finding(name, Level.WARNING, "钉钉没有报时，没法核对")
    skew = time.time() - dingtalk_time
    if abs(skew) < _SKEW_WARNING_SECONDS:
        return Finding(name, Level.GOOD, f"和钉钉相差 {abs(skew):.0f} 秒")
    level = Level.BAD if abs(skew) >= _SKEW_BAD_SECONDS else Level.WARNING
    direction = "快" if skew > 0 else "慢"
    return Finding(
        name, level, f"本机比钉钉{direction} {abs(skew):.0f} 秒：请打开时间同步（NTP），否则群机器人签名会被拒绝"
    )


async def check_send_permission(api: OpenApi, settings: Settings) -> Finding:
    """Send a message to nobody: DingTalk checks token, permission and robot before it looks at the receivers."""
    name = "凭证与主动发送权限"
    body = {"robotCode": settings.robot_code, "userIds": [], "msgKey": "sampleText", "msgParam": '{"content":"x"}'}
    try:
        await api.new("/v1.0/robot/oToMessages/batchSend", body)
    except NeedsAdmin as exc:
        return Finding(name, Level.BAD, str(exc))
    except DeliveryError as exc:
        if exc.code.startswith("invalidParameter.userIds") or exc.code.startswith("staffId"):
            return Finding(name, Level.GOOD, "可用（qyapi_robot_sendmsg 已开通）")
        if exc.code.startswith("invalidParameter.robotCode"):
            where = "开发者后台 > 应用能力 > 机器人 页面上的 RobotCode"
            return Finding(name, Level.BAD, f"机器人编码不对（{exc.code}）：请把 DINGTALK_ROBOT_CODE 设成{where}")
        if exc.code in ("chatbotId.notAllow.sendOTO", "robot.oto.notExist"):
            where = "开发者后台 > 应用能力 > 机器人"
            return Finding(name, Level.BAD, f"机器人还不能发单聊（{exc.code}）：请到 {where} 发布机器人")
        return Finding(name, Level.WARNING, f"没能检查：{exc}")
    return Finding(name, Level.GOOD, "可用")


async def check_stream(session: aiohttp.ClientSession, settings: Settings) -> Finding:
    """Ask for a ticket and leave it unused: a second connection would take messages away from the bot."""
    name = "Stream 连接"
    url = gateway_url(settings.openapi_endpoint)
    try:
        ticket = await open_ticket(session, url, settings.client_id, settings.client_secret)
    except AuthFailed as exc:
        return Finding(name, Level.BAD, str(exc))
    except OpenFailed as exc:
        advice = ""
        if str(exc).startswith("HTTP 400"):
            advice = (
                "：请到 开发者后台 检查 机器人 的消息接收模式是不是 Stream 模式、机器人和应用是否都已发布、"
                "应用可见范围是否包含使用的人"
            )
        return Finding(name, Level.BAD, f"钉钉没有给连接（{exc}）{advice}")
    except (aiohttp.ClientError, TimeoutError) as exc:
        return Finding(name, Level.BAD, f"连不上（{type(exc).__name__}）：请检查网络、代理和证书")
    address = _address(ticket["endpoint"])
    if address is None:
        return Finding(name, Level.BAD, "网关给的连接地址看不懂：请检查中间有没有代理改写了钉钉的回答")
    host, port = address
    if not _is_proxied(settings) and not await _can_connect(host, port):
        return Finding(name, Level.BAD, f"连不上 {host}:{port}：请在防火墙放行这个主机的 {port} 端口")
    return Finding(name, Level.GOOD, f"可以建立（{host}）")


def _address(endpoint: str) -> tuple[str, int] | None:
    """Return host and port of a websocket address; None if it is none."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None or parts.scheme not in ("ws", "wss"):
        return None
    return host, port or (443 if parts.scheme == "wss" else 80)


def _is_proxied(settings: Settings) -> bool:
    return not settings.local and any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"))


async def _can_connect(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
