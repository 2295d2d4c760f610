"""`faqbot doctor`: is everything as it should be, and if not, where to click. Sends no message to anybody."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from faqbot.cli.doctor.findings import Finding, Level
from faqbot.cli.doctor.permissions import look_at_permissions
from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.group_robots import RobotKeys
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.stream.gateway import OpenFailed, gateway_url, open_ticket
from faqbot.dingtalk.wiring import open_api
from faqbot.errors import AuthFailed, DeliveryError, KnowledgeMissing, NeedsAdmin, StartError, StoreError
from faqbot.knowledge.files.opening import source_beside
from faqbot.knowledge.snapshot import Snapshot, assemble
from faqbot.rules.definitions import DINGTALK_EVENTS, Automations, EventTrigger
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.resources import open_session
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

# Robot signatures are refused an hour off; a minute is already a sign that nobody keeps the clock.
_SKEW_WARNING, _SKEW_BAD = 60.0, 1800.0
_SECONDS = aiohttp.ClientTimeout(total=10)
_OLD_BACKLOG_SECONDS = 600.0
_TOKEN = re.compile(r"[0-9a-f]{64}")
_SHORTEST_TOKEN = 16


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Look at one thing after the other; what is found comes at once."""
    yield Finding("设置", Level.GOOD, "没有发现问题")
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(settings))
        reachable = True
        try:
            theirs = await _their_time(session, settings)
        except (aiohttp.ClientError, TimeoutError) as exc:
            reachable = False
            host = urlsplit(settings.openapi_endpoint).hostname
            advice = "请检查网络、代理（HTTPS_PROXY）和证书（SSL_CERT_FILE）"
            yield Finding("网络", Level.BAD, f"连不上 {host}（{type(exc).__name__}）：{advice}")
        else:
            yield _clock(theirs)
        store: Store | None = None
        try:
            store = await open_store(settings.store)
            stack.push_async_callback(store.close)
        except StartError as exc:
            yield Finding("存储", Level.BAD, str(exc))
        if reachable:
            # Without a store the token is simply not shared.
            api = open_api(settings, session, store or _Nowhere(), Metrics())
            yield await _send_permission(api, settings)
            yield await _stream(session, settings)
        if store is not None:
            for found in await _store(store, settings):
                yield found
        finding, snapshot = await _knowledge(store, settings)
        yield finding
        if snapshot is not None:
            if reachable:
                async for found in look_at_permissions(api, settings, snapshot, _today(settings)()):
                    yield found
            for found in (*_robots(snapshot.automations, settings), *_hooks(snapshot.automations, settings)):
                yield found


async def _their_time(session: aiohttp.ClientSession, settings: Settings) -> float | None:
    """DingTalk's clock as it stands in an answer. Raises aiohttp.ClientError, TimeoutError."""
    async with session.head(settings.openapi_endpoint, timeout=_SECONDS, allow_redirects=False) as response:
        try:
            return parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, ValueError, OverflowError):
            return None


def _clock(theirs: float | None) -> Finding:
    name = "时钟"
    if theirs is None:
        return Finding(name, Level.WARNING, "钉钉没有报时，没法核对")
    skew = time.time() - theirs
    if abs(skew) < _SKEW_WARNING:
        return Finding(name, Level.GOOD, f"和钉钉相差 {abs(skew):.0f} 秒")
    level = Level.BAD if abs(skew) >= _SKEW_BAD else Level.WARNING
    direction = "快" if skew > 0 else "慢"
    return Finding(
        name, level, f"本机比钉钉{direction} {abs(skew):.0f} 秒：请打开时间同步（NTP），否则群机器人签名会被拒绝"
    )


async def _send_permission(api: OpenApi, settings: Settings) -> Finding:
    """Ask for a message to nobody: DingTalk checks token, permission and robot before it looks at the receivers."""
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


async def _stream(session: aiohttp.ClientSession, settings: Settings) -> Finding:
    """Ask for a ticket and leave it unused: a connection of ours would take messages away from the bot."""
    name = "Stream 连接"
    url = gateway_url(settings.openapi_endpoint)
    try:
        found = await open_ticket(session, url, settings.client_id, settings.client_secret)
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
    address = _address(found["endpoint"])
    if address is None:
        return Finding(name, Level.BAD, "网关给的连接地址看不懂：请检查中间有没有代理改写了钉钉的回答")
    host, port = address
    proxied = not settings.local and any(os.environ.get(n) for n in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"))
    if not proxied:
        try:
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
        except (OSError, TimeoutError):
            return Finding(name, Level.BAD, f"连不上 {host}:{port}：请在防火墙放行这个主机的 {port} 端口")
    return Finding(name, Level.GOOD, f"可以建立（{host}）")


def _address(endpoint: str) -> tuple[str, int] | None:
    """Host and port of a websocket address; None if it is none."""
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if host is None or parts.scheme not in ("ws", "wss"):
        return None
    return host, port or (443 if parts.scheme == "wss" else 80)


async def _store(store: Store, settings: Settings) -> list[Finding]:
    today = _today(settings)
    try:
        found = [Finding("存储", Level.WARNING, line) for line in await store.advice()]
        waiting, oldest = await store.backlog()
        usages = await Quota(
            store, Metrics(), calls=settings.quota_calls, messages=settings.quota_messages, today=today
        ).usage()
    except StoreError as exc:
        return [Finding("存储", Level.BAD, str(exc))]
    if waiting and time.time() - oldest > _OLD_BACKLOG_SECONDS:
        minutes = int((time.time() - oldest) // 60)
        found.append(
            Finding("存储", Level.WARNING, f"有 {waiting} 条提问没有处理完，最早 {minutes} 分钟前：机器人在运行吗？")
        )
    if not found:
        found.append(Finding("存储", Level.GOOD, f"可用，{waiting} 条提问在处理"))
    shown = {"calls": "接口调用", "messages": "Webhook 与 Stream"}
    used = "，".join(f"{shown[kind]} {u.used}/{u.limit}" for kind, u in usages.items())
    near = any(u.share >= 0.8 for u in usages.values())
    advice = "（快用完了：请到 开发者后台 > 资源管理 核对）" if near else ""
    return [*found, Finding("本月额度", Level.WARNING if near else Level.GOOD, f"这个机器人用了 {used}{advice}")]


async def _knowledge(store: Store | None, settings: Settings) -> tuple[Finding, Snapshot | None]:
    name = "知识"
    try:
        shelf = await source_beside(settings, store)
        files, remarks = await shelf.read(), await shelf.remarks()
    except (KnowledgeMissing, StoreError) as exc:
        return Finding(name, Level.BAD, str(exc)), None
    snapshot = assemble(files, label=shelf.label, today=_today(settings)())
    snapshot = replace(snapshot, problems=(*snapshot.problems, *remarks))
    errors = sum(p.is_error for p in snapshot.problems)
    warnings = len(snapshot.problems) - errors
    text = f"{len(snapshot.entries)} 条，{errors} 个错误，{warnings} 个提醒"
    if errors:
        return Finding(name, Level.BAD, f"{text}：请运行 faqbot check 查看文件和行号"), snapshot
    return Finding(name, Level.WARNING if not snapshot.entries else Level.GOOD, text), snapshot


def _robots(automations: Automations, settings: Settings) -> Iterator[Finding]:
    """Each group robot as far as that can be seen without sending anything."""
    for name, robot in automations.robots.items():
        shown = f"群机器人 {name}"
        if why_not := robot.why_not(settings.variable):
            yield Finding(shown, Level.BAD, f"{why_not}：请在钉钉 群设置 > 机器人 里复制，写进环境变量或 .env")
            continue
        keys = RobotKeys.read(robot.token.value(settings.variable), robot.secret.value(settings.variable))
        if not _TOKEN.fullmatch(keys.token):
            text = "token 不像 Webhook 地址里的 access_token（64 个十六进制字符）：请重新复制"
            yield Finding(shown, Level.WARNING, text)
        elif keys.secret and not keys.secret.startswith("SEC"):
            text = "secret 不像加签的密钥（以 SEC 开头）：请到 群设置 > 机器人 > 安全设置 重新复制"
            yield Finding(shown, Level.WARNING, text)
        else:
            guarded = "已设置 token 和密钥" if keys.secret else "已设置 token，没有加签的密钥"
            text = f"{guarded}；对不对要真的发一条才知道：faqbot send {name} 你好"
            yield Finding(shown, Level.GOOD, text)


def _hooks(automations: Automations, settings: Settings) -> Iterator[Finding]:
    """Whether anybody can send the events that rules wait for, and whether nobody else can."""
    name = "外部事件"
    waited = [r.trigger.event for r in automations.rules if isinstance(r.trigger, EventTrigger)]
    outside = [event for event in dict.fromkeys(waited) if not event.startswith(DINGTALK_EVENTS)]
    closed = [e for e in outside if not any(hook.opens(e) for hook in automations.hooks)]
    if closed and not settings.hook_secret:
        text = f"没有设置 FAQBOT_HOOK_SECRET，事件 {'、'.join(closed)} 进不来"
        yield Finding(name, Level.WARNING, f"{text}：请设置它，或在 automations.yaml 的 hooks 里给发送方一个 token")
    for hook in automations.hooks:
        token = hook.token.value(settings.variable)
        if not token:
            text = f"{hook.pattern} 的 token 还没有设置环境变量 {hook.token.variable}，这个发送方进不来"
            yield Finding(name, Level.WARNING, text)
        elif len(token) < _SHORTEST_TOKEN:
            text = f"{hook.pattern} 的 token 太短，容易被猜中：请换成 {_SHORTEST_TOKEN} 个以上的随机字符"
            yield Finding(name, Level.WARNING, text)


def _today(settings: Settings) -> Callable[[], date]:
    return lambda: datetime.now(settings.timezone).date()


class _Nowhere:
    """Stands in for a store that cannot be opened: nothing is shared."""

    async def note(self, key: str) -> str | None:
        return None

    async def put_note(self, key: str, value: str, ttl: float) -> None: ...

    async def claim(self, key: str, ttl: float) -> bool:
        return True

    async def prolong(self, key: str, ttl: float) -> bool:
        return True

    async def release(self, key: str) -> None: ...

    async def reserve(self, key: str, gap: float) -> float:
        return 0.0
