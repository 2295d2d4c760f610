"""Composition root: builds all parts of the bot, starts them, and stops them in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from faqbot.app.maintenance import Maintenance, flush_quota
from faqbot.app.wiring import Services, open_services
from faqbot.automation.scheduler import LATE_SECONDS
from faqbot.automation.wiring import AutomationParts
from faqbot.commands.registry import CommandRegistry, open_commands
from faqbot.console.server import Health, open_console
from faqbot.console.web.sessions import announce
from faqbot.dingtalk.stream.connection import StreamConnection
from faqbot.dingtalk.wiring import open_stream
from faqbot.handoff.answer_notices import run_answer_notices
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.bot import Bot
from faqbot.messaging.wiring import open_bot
from faqbot.outbox.outbox import Outbox
from faqbot.review.wiring import review_loops
from faqbot.runtime.background import Loop, start_loop, start_loops
from faqbot.runtime.log import EventLog
from faqbot.runtime.metrics import Metrics
from faqbot.settings import Settings
from faqbot.store.protocol import Store

log = EventLog(__name__)

# Replies under way get this long at shutdown; service managers kill after ten seconds.
GRACE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Running:
    """The started bot, for the process that runs it, the sandbox and the tests.

    `finished` is the task of the stream connection.
    """

    services: Services
    bot: Bot
    stream: StreamConnection
    console_url: str
    finished: asyncio.Task[None]

    @property
    def library(self) -> KnowledgeBase:
        return self.services.knowledge.library

    @property
    def store(self) -> Store:
        return self.services.resources.store

    @property
    def metrics(self) -> Metrics:
        return self.services.resources.metrics

    @property
    def outbox(self) -> Outbox:
        return self.services.outbox

    @property
    def automation(self) -> AutomationParts:
        return self.services.automation


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    clock: Callable[[], float] = time.time,
    *,
    late: float = LATE_SECONDS,
    store_clock: Callable[[], float] | None = None,
) -> AsyncIterator[Running]:
    """Start the bot; on leaving, stop taking messages, finish the replies under way and close everything.

    Raises StartError where it cannot start. `Running.finished` ends, with AuthFailed, if DingTalk refuses the
    credentials at the first connection. `clock`, `late` and `store_clock` are those of open_services().
    """
    async with contextlib.AsyncExitStack() as stack:
        services = await stack.enter_async_context(
            open_services(settings, clock, serving=True, late=late, store_clock=store_clock)
        )
        resources, knowledge, dingtalk = services.resources, services.knowledge, services.dingtalk
        outbox, automation = services.outbox, services.automation
        departments = AskerDepartments(knowledge.library, dingtalk.contacts, clock)
        commands = open_commands(resources, knowledge, dingtalk, departments, outbox, services.reports)
        bot = open_bot(resources, knowledge, dingtalk, departments, commands.handlers)
        stream = open_stream(
            resources, bot.receive, wants_events=automation.hears_dingtalk, receive_event=automation.take
        )
        health = _watch_health(resources.metrics, stream, bot)
        console_url = await open_console(stack, resources, knowledge, health=health, events=automation.events)
        # From here on, leaving the stack runs bottom up: stop the stream, finish replies, close the rest.
        stack.push_async_callback(flush_quota, dingtalk.quota)
        for drain in (bot.drain, outbox.drain, automation.scheduler.drain):
            stack.push_async_callback(drain, GRACE_SECONDS)
        await bot.inbox.start()
        start_loops(stack, _loops(services, bot, commands, console_url))
        connection = start_loop(stack, "stream", stream.run)
        stack.push_async_callback(stream.stop)
        log.info("bot.started", console=console_url, entries=len(knowledge.library.current.entries))
        yield Running(services, bot, stream, console_url, connection)
        log.info("bot.stopping")


def _watch_health(metrics: Metrics, stream: StreamConnection, bot: Bot) -> Health:
    """Show in the metrics and at /readyz whether messages arrive and are written down."""
    health = Health(stream=lambda: stream.connected, store=lambda: bot.inbox.store_ok)
    metrics.watch("stream_connected", "Whether bot messages can arrive now", health.stream)
    metrics.watch("store_up", "Whether the store took the last step", health.store)
    return health


def _loops(services: Services, bot: Bot, commands: CommandRegistry, console_url: str) -> Mapping[str, Loop]:
    """Return the background loops of all parts, in the order in which they start."""
    settings, store = services.resources.settings, services.resources.store
    workspace, outbox = services.knowledge.workspace, services.outbox
    maintenance = Maintenance(store, services.dingtalk.quota, settings.keep_days)
    return {
        **services.knowledge.loops,
        "inbox": bot.inbox.run,
        "outbox": outbox.run,
        "maintenance": maintenance.run,
        "console.address": partial(announce, store, console_url),
        **review_loops(workspace, outbox, settings),
        "attendance.reports": commands.report_requests.run,
        "handoff.answers": partial(run_answer_notices, workspace, outbox, settings.timezone, settings.keep_days),
        **services.automation.loops,
    }
