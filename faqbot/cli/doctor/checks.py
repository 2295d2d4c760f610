"""Runs all checks of `faqbot doctor` in order, and contains the checks of store and knowledge.

No check sends a message to anybody.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime

import aiohttp

from faqbot.cli.doctor.automations import check_robots, check_webhooks
from faqbot.cli.doctor.connection import (
    check_clock,
    check_send_permission,
    check_stream,
    fetch_dingtalk_time,
    network_failure,
)
from faqbot.cli.doctor.findings import Finding, Level
from faqbot.cli.doctor.meaning import check_meaning
from faqbot.cli.doctor.permissions import check_permissions
from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.wiring import open_api, open_dingtalk
from faqbot.errors import KnowledgeMissing, StartError, StoreError
from faqbot.knowledge.files.opening import source_beside
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.runtime.metrics import Metrics
from faqbot.runtime.resources import Resources, open_session
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

# Questions that wait longer than this: no bot is running.
_OLD_BACKLOG_SECONDS = 600.0
_QUOTA_WARNING_SHARE = 0.8


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Check one thing after the other and yield each finding at once."""
    yield Finding("设置", Level.GOOD, "没有发现问题")
    today = datetime.now(settings.timezone).date()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(settings))
        reachable = True
        try:
            dingtalk_time = await fetch_dingtalk_time(session, settings)
        except (aiohttp.ClientError, TimeoutError) as exc:
            reachable = False
            yield network_failure(settings, exc)
        else:
            yield check_clock(dingtalk_time)
        store: Store | None = None
        try:
            store = await open_store(settings.store)
            stack.push_async_callback(store.close)
        except StartError as exc:
            yield Finding("存储", Level.BAD, str(exc))
        api, quota = _open_clients(settings, session, store)
        if reachable:
            yield await check_send_permission(api, settings)
            yield await check_stream(session, settings)
        if store is not None and quota is not None:
            for finding in await _check_store(store, quota):
                yield finding
        finding, snapshot = await _check_knowledge(store, settings, today)
        yield finding
        if snapshot is None:
            return
        yield await check_meaning(settings, session, store, snapshot.index.embedded_texts)
        yield _describe_group_taps(settings)
        if reachable:
            async for finding in check_permissions(api, settings, snapshot, today):
                yield finding
        for finding in check_robots(snapshot.automations, settings.variable):
            yield finding
        for finding in check_webhooks(snapshot.automations, settings):
            yield finding


def _open_clients(
    settings: Settings, session: aiohttp.ClientSession, store: Store | None
) -> tuple[OpenApi, Quota | None]:
    """Build the API client and the quota; without a store the token is simply not shared, and nothing is counted."""
    if store is None:
        return open_api(settings, session, _NoStore(), Metrics()), None
    dingtalk = open_dingtalk(Resources(settings, session, store, Metrics(), time.time))
    return dingtalk.api, dingtalk.quota


async def _check_store(store: Store, quota: Quota) -> list[Finding]:
    try:
        findings = [Finding("存储", Level.WARNING, line) for line in await store.advice()]
        waiting, oldest = await store.backlog()
        usages = await quota.usage()
    except StoreError as exc:
        return [Finding("存储", Level.BAD, str(exc))]
    if waiting and time.time() - oldest > _OLD_BACKLOG_SECONDS:
        minutes = int((time.time() - oldest) // 60)
        findings.append(
            Finding("存储", Level.WARNING, f"有 {waiting} 条提问没有处理完，最早 {minutes} 分钟前：机器人在运行吗？")
        )
    if not findings:
        findings.append(Finding("存储", Level.GOOD, f"可用，{waiting} 条提问在处理"))
    names = {"calls": "接口调用", "messages": "Webhook 与 Stream"}
    used = "，".join(f"{names[kind]} {usage.used}/{usage.limit}" for kind, usage in usages.items())
    near = any(usage.share >= _QUOTA_WARNING_SHARE for usage in usages.values())
    advice = "（快用完了：请到 开发者后台 > 资源管理 核对）" if near else ""
    return [*findings, Finding("本月额度", Level.WARNING if near else Level.GOOD, f"这个机器人用了 {used}{advice}")]


async def _check_knowledge(store: Store | None, settings: Settings, today: date) -> tuple[Finding, Snapshot | None]:
    """Build the snapshot that a running bot would answer from; return None for it where it cannot be read."""
    name = "知识"
    try:
        source = await source_beside(settings, store)
        files, remarks = await source.read(), await source.problems()
    except (KnowledgeMissing, StoreError) as exc:
        return Finding(name, Level.BAD, str(exc)), None
    snapshot = build_snapshot(files, label=source.label, today=today)
    snapshot = replace(snapshot, problems=(*snapshot.problems, *remarks))
    errors = sum(problem.is_error for problem in snapshot.problems)
    warnings = len(snapshot.problems) - errors
    text = f"{len(snapshot.entries)} 条，{errors} 个错误，{warnings} 个提醒"
    if errors:
        return Finding(name, Level.BAD, f"{text}：请运行 faqbot check 查看文件和行号"), snapshot
    return Finding(name, Level.WARNING if not snapshot.entries else Level.GOOD, text), snapshot


def _describe_group_taps(settings: Settings) -> Finding:
    """Say how to find out whether tapped lines arrive in groups, which nothing but a real tap can tell."""
    name = "群里点按"
    if settings.group_taps:
        return Finding(name, Level.GOOD, "群里的列表可以点；点了没有反应的话，把 FAQBOT_GROUP_TAPS 改回 no，再重启")
    text = (
        "群里的列表是文字，要 @ 机器人回复序号。想让它能点，花一分钟试：设 FAQBOT_GROUP_TAPS=yes，重启，"
        "在一个小群里发“@机器人 帮助”，点第 1 行的主题。几秒钟里列出了这个主题的问题，就留着 yes；没有反应就改回 no"
    )
    return Finding(name, Level.GOOD, text)


class _NoStore:
    """Takes the place of a store that cannot be opened: nothing is shared and every claim is granted."""

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
