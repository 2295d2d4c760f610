"""The only place where objects meet: Settings in, everything started and stopped on one exit stack."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

import aiohttp

from faqbot.analytics.weekly_figures import digest_of
from faqbot.app.knowledge_source import shelf_of
from faqbot.attendance.collector import Collector
from faqbot.attendance.report import AttendanceReports
from faqbot.automation.event_queue import EventQueue
from faqbot.automation.run_log import RUNS
from faqbot.automation.runner import LATE_SECONDS
from faqbot.automation.wiring import AutomationParts, open_routine
from faqbot.commands.about_answer import AboutAnswerCommands
from faqbot.commands.last_answer import LastAnswers
from faqbot.commands.own_questions import OwnQuestionsCommand
from faqbot.commands.rating import RatingCommands
from faqbot.commands.registry import routine_deeds
from faqbot.console.server import Health, open_console
from faqbot.console.web.context import ConsoleContext
from faqbot.console.web.origin import is_loopback
from faqbot.console.web.sessions import LINK_SECONDS, announce, announced, new_link, reachable
from faqbot.dingtalk.api.client import OpenApi
from faqbot.dingtalk.api.contacts_cache import ContactsCache
from faqbot.dingtalk.api.group_robots import GroupRobots, RobotKeys
from faqbot.dingtalk.api.quota import Quota
from faqbot.dingtalk.api.robot import Robot
from faqbot.dingtalk.api.session_webhook import Webhook
from faqbot.dingtalk.api.tokens import AccessTokens
from faqbot.dingtalk.stream.connection import StreamConnection
from faqbot.errors import DeliveryError, KnowledgeMissing, StartError, StoreError
from faqbot.handoff.answer_notices import tell_of_answers
from faqbot.handoff.answering import TicketAnswering
from faqbot.handoff.escalation import Escalation
from faqbot.handoff.tickets import NUMBERS
from faqbot.knowledge.editing.external_changes import watch_files
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.files.picture_folder import PictureFolder
from faqbot.knowledge.impact.past_questions import PastQuestions
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.messaging.bot import Bot
from faqbot.messaging.picture_uploads import PictureUploads
from faqbot.messaging.reply_sender import ReplySender
from faqbot.model.decisions import CommandHandler, CommandKind
from faqbot.model.notices import Address
from faqbot.outbox.channels import GroupChannel, PersonChannel, RobotChannel
from faqbot.outbox.outbox import Channel, Outbox
from faqbot.outbox.queued_notice import FAILED
from faqbot.review.correction_notices import tell_of_corrections
from faqbot.review.draft_commands import DraftCommands
from faqbot.review.draft_notices import tell_of_drafts
from faqbot.review.due_reminders import remind_keepers
from faqbot.rules.definitions import Automations
from faqbot.rules.working_hours import after_quiet
from faqbot.runtime.log import EventLog
from faqbot.runtime.loops import run_periodically
from faqbot.runtime.metrics import Metrics
from faqbot.search.arrays import Floats
from faqbot.search.embeddings import Embeddings
from faqbot.settings import Settings
from faqbot.store.opening import open_store
from faqbot.store.protocol import ClaimStore, DocumentStore, NoteStore, SlotStore, Store

log = EventLog(__name__)

# Replies under way get this long at shutdown; service managers kill after ten seconds.
GRACE_SECONDS = 4.0
_SWITCH_SECONDS = 0.0001
_QUOTA_EVERY = 5.0
_PURGE_EVERY = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Running:
    """The started parts, for those who stand beside the app: tests and the sandbox."""

    bot: Bot
    library: KnowledgeBase
    stream: StreamConnection
    store: Store
    outbox: Outbox
    events: EventQueue
    routine: AutomationParts
    reports: AttendanceReports
    metrics: Metrics
    console_url: str
    finished: asyncio.Task[None]


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
    credentials at the first connection. `clock` (epoch seconds) says what the time is in conversations and for
    routine jobs; `late` is how many seconds late one of those may begin;
    `store_clock`, where it is another, is that by which the store forgets.
    """

    def today() -> date:
        return datetime.fromtimestamp(clock(), settings.timezone).date()

    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        store = await open_store(settings.store, store_clock or clock)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(http_session(settings))
        embeddings = open_embeddings(settings, session, store)
        embed = embeddings.of_wordings if embeddings else None
        shelf = shelf_of(settings, store)
        folder = PictureFolder(settings.knowledge)
        library = KnowledgeBase(shelf, today, settings.strictness, embed, keep=store, metrics=metrics, pictures=folder)
        stack.push_async_callback(library.close)
        earlier = await store.documents()
        try:
            await library.refresh()
        except KnowledgeMissing as exc:
            raise StartError(str(exc)) from exc
        quota = Quota(store, metrics, calls=settings.quota_calls, messages=settings.quota_messages, today=today)
        api = open_api(settings, session, store, metrics, quota.call)
        robot = Robot(api, settings.robot_code)
        webhook = Webhook(session, (settings.openapi_endpoint, settings.oapi_endpoint))
        pictures = PictureUploads(folder, api.upload_image, store)
        delivery = ReplySender(webhook, robot, store, metrics, quota, pictures=pictures.fill_in, clock=clock)
        outbox = open_outbox(settings, session, library, store, robot, metrics, quota, clock)
        events = EventQueue(store, clock=clock)
        directory = ContactsCache(api, store)
        audience = AskerDepartments(library, directory, clock)
        reports = open_reports(settings, directory, store, outbox, quota, clock)
        workspace = Workspace(library, shelf, store, today, clock)
        console = ConsoleContext(workspace, settings, PastQuestions(workspace))
        if embeddings is not None:
            console = replace(console, meaning=embeddings.of_question)
        routine = open_routine(
            settings,
            session,
            library,
            store,
            outbox,
            events,
            directory,
            reports,
            clock,
            digest=lambda: digest_of(workspace, settings.timezone),
            late=late,
        )
        asked = routine_deeds(settings, store, outbox, directory, reports, lambda: library.current.automations, clock)
        persons = Escalation(workspace, audience, outbox, settings.admins, settings.timezone)
        last_answers = LastAnswers(workspace, audience)
        about_answers = AboutAnswerCommands(workspace, last_answers, settings.admins, settings.timezone)
        about_drafts = DraftCommands(workspace, settings.admins)
        deeds: dict[CommandKind, CommandHandler] = {
            CommandKind.MY_QUESTIONS: OwnQuestionsCommand(store, clock),
            CommandKind.APPROVE: about_drafts,
            CommandKind.SEND_BACK: about_drafts,
            CommandKind.WITHDRAW: about_drafts,
            CommandKind.PERSON: persons,
            CommandKind.REPLY: TicketAnswering(workspace, outbox, settings.admins),
            CommandKind.WHY: about_answers,
            CommandKind.KEEPER: about_answers,
            CommandKind.HOTTEST: about_answers,
            CommandKind.RATE: RatingCommands(workspace, last_answers),
            **asked.deeds,
        }
        bot = Bot(
            library,
            store,
            delivery,
            quota,
            metrics,
            embeddings,
            audience=audience,
            deeds=deeds,
            today=today,
            keep_days=settings.keep_days,
            clock=clock,
        )
        stream = StreamConnection(
            session,
            settings.openapi_endpoint,
            settings.client_id,
            settings.client_secret,
            bot.receive,
            metrics,
            proxied=not settings.local,
            wants_events=lambda: library.current.automations.hears_dingtalk(),
            take_event=routine.take,
        )
        metrics.watch("stream_connected", "Whether bot messages can arrive now", lambda: stream.connected)
        metrics.watch("store_up", "Whether the store took the last step", lambda: bot.inbox.store_ok)
        health = Health(stream=lambda: stream.connected, store=lambda: bot.inbox.store_ok)
        console_url = await open_console(stack, console, health=health, metrics=metrics, events=events)
        # From here on, leaving the stack runs bottom up: stop the stream, finish replies, close the rest.
        stack.push_async_callback(_last_words, quota)
        stack.push_async_callback(bot.drain, GRACE_SECONDS)
        stack.push_async_callback(outbox.drain, GRACE_SECONDS)
        stack.push_async_callback(routine.runner.drain, GRACE_SECONDS)
        await bot.inbox.start()
        house = keep_house(store, quota, settings.keep_days)
        journal = watch_files(workspace, earlier)
        drafts = tell_of_drafts(workspace, outbox, settings.admins)
        corrections = tell_of_corrections(workspace, outbox)
        answers = tell_of_answers(workspace, outbox, settings.timezone, settings.keep_days)
        for loop in (
            library.watch(),
            bot.inbox.run(),
            outbox.run(),
            house,
            announce(store, console_url),
            journal,
            drafts,
            corrections,
            asked.reports.run(),
            answers,
            remind_keepers(workspace, outbox, settings.admins, settings.timezone),
            routine.runner.run(),
            routine.arrivals.run(),
        ):
            stack.push_async_callback(_cancel, asyncio.create_task(loop))
        connection = asyncio.create_task(stream.run())
        stack.push_async_callback(_cancel, connection)
        stack.push_async_callback(stream.stop)
        log.info("bot.started", console=console_url, entries=len(library.current.entries))
        yield Running(bot, library, stream, store, outbox, events, routine, reports, metrics, console_url, connection)
        log.info("bot.stopping")


def open_outbox(
    settings: Settings,
    session: aiohttp.ClientSession,
    library: KnowledgeBase,
    store: Store,
    robot: Robot,
    metrics: Metrics,
    quota: Quota,
    clock: Callable[[], float],
) -> Outbox:
    """The outbox with its ways: people, groups, group robots."""
    robots = GroupRobots(session, settings.oapi_endpoint, clock=clock)
    ways: dict[str, Channel] = {
        "person": PersonChannel(robot, metrics),
        "group": GroupChannel(robot, metrics),
        "robot": RobotChannel(robots, robot_keys(lambda: library.current.automations, settings), metrics, quota),
    }

    def later(to: Address, due: float) -> float:
        if to.kind != "group":
            return due
        moment = datetime.fromtimestamp(due, settings.timezone)
        return max(due, after_quiet(moment, library.current.groups.of(to.id).quiet).timestamp())

    return Outbox(store, ways, later=later, clock=clock)


def open_reports(
    settings: Settings,
    directory: ContactsCache,
    store: Store,
    outbox: Outbox,
    quota: Quota,
    clock: Callable[[], float],
) -> AttendanceReports:
    """The monthly attendance report."""
    collector = Collector(directory, store, quota, settings.timezone, clock=clock)
    return AttendanceReports(
        directory, collector, store, outbox, timezone=settings.timezone, admins=settings.admins, clock=clock
    )


def robot_keys(automations: Callable[[], Automations], settings: Settings) -> Callable[[str], RobotKeys]:
    """What finds the keys of a group robot by its name in `automations.yaml`; it raises DeliveryError."""

    def keys(name: str) -> RobotKeys:
        robots = automations().robots
        # Both may be mended while the notice waits: the name in the file, the variable in the environment.
        if name not in robots:
            known = f"，有的是：{'、'.join(robots)}" if robots else "，一个机器人也没有写"
            raise DeliveryError(f"automations.yaml 里没有叫“{name}”的机器人{known}", code="no_robot")
        robot = robots[name]
        if why_not := robot.why_not(settings.variable):
            raise DeliveryError(why_not, code="no_keys")
        return RobotKeys.read(robot.token.value(settings.variable), robot.secret.value(settings.variable))

    return keys


def http_session(settings: Settings) -> aiohttp.ClientSession:
    """The one session for everything that goes out; proxies and certificates are the environment's."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=not settings.local)


class ApiStore(ClaimStore, NoteStore, SlotStore, Protocol):
    """The roles of the store through which replicas share a token and a rate limit."""


def open_api(
    settings: Settings,
    session: aiohttp.ClientSession,
    store: ApiStore,
    metrics: Metrics,
    called: Callable[[str, str], None] = lambda path, code: None,
) -> OpenApi:
    """The client of DingTalk's server API, its token shared through the store."""

    def count(path: str, code: str) -> None:
        metrics.api_calls.labels(path, code).inc()
        called(path, code)

    tokens = AccessTokens(
        session,
        settings.openapi_endpoint,
        settings.client_id,
        settings.client_secret,
        store,
        refreshed=lambda result: metrics.tokens.labels(result).inc(),
    )
    return OpenApi(
        session,
        settings.openapi_endpoint,
        settings.oapi_endpoint,
        tokens,
        store,
        qps=settings.qps,
        called=count,
    )


async def keep_house(store: Store, quota: Quota, keep_days: int) -> None:
    """Write the quota down every few seconds and, every few hours, delete what is too old to be kept."""
    purge_at = 0.0

    async def look() -> float:
        nonlocal purge_at
        await quota.watch()
        # One replica is enough.
        if time.time() >= purge_at and await store.claim("purge", _PURGE_EVERY - 60):
            before = time.time() - keep_days * 86400
            gone = await store.purge(before)
            for journal in (RUNS, FAILED, NUMBERS):
                await store.trim_journal(journal, before)
            log.info("store.purged", questions=gone)
        if time.time() >= purge_at:
            purge_at = time.time() + _PURGE_EVERY
        return _QUOTA_EVERY

    await run_periodically(look, lambda exc: log.error("house.failed", cause=exc), error_delay=_QUOTA_EVERY)


async def _last_words(quota: Quota) -> None:
    with contextlib.suppress(StoreError):
        await quota.flush()


def open_embeddings(settings: Settings, session: aiohttp.ClientSession, store: DocumentStore) -> Embeddings | None:
    """The embeddings endpoint, where one is set."""
    if not settings.embeddings_url:
        return None
    return Embeddings(session, settings.embeddings_url, settings.embeddings_model, settings.embeddings_key, store)


async def embed_all(settings: Settings, *lists: Sequence[str]) -> list[Floats]:
    """Vectors for whole lists of texts, remembered in the configured store. Raises EmbeddingsError, StartError."""
    async with contextlib.AsyncExitStack() as stack:
        store = await open_store(settings.store)
        stack.push_async_callback(store.close)
        session = await stack.enter_async_context(http_session(settings))
        embeddings = open_embeddings(settings, session, store)
        assert embeddings is not None
        return [await embeddings.of_wordings(texts) for texts in lists]


async def sign_in_link(settings: Settings) -> str:
    """A new one-time link to the console that runs on this machine with this store. Raises StartError."""
    if not settings.console_password and not is_loopback(settings.host):
        raise StartError(f"控制台在 {settings.host} 上监听，需要密码：请设置 FAQBOT_CONSOLE_PASSWORD，再重启机器人")
    store = await open_store(settings.store)
    try:
        url = await announced(store)
        if not url:
            raise StartError("没有找到正在运行的机器人：请先用 faqbot run 启动它，并在同一个目录里运行 faqbot link")
        return await new_link(store, url)
    finally:
        await store.close()


async def _welcome(settings: Settings, app: Running, say: Callable[[str], object]) -> None:
    """Tell the person at the terminal how to open a console that has no password."""
    if not settings.console_password and is_loopback(settings.host):
        link = await new_link(app.store, reachable(app.console_url))
        say(f"控制台（{LINK_SECONDS / 60:.0f} 分钟内有效，只能用一次；再要一个用 faqbot link）：{link}")


def tune_process() -> None:
    """Set what holds for the whole process: for how long a thread may keep others waiting, when to look for garbage."""
    # The store's thread needs Python's lock many times for one commit; by default each time may take five milliseconds
    # from a busy loop, and acknowledgements wait for commits.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Every message makes many short-lived objects; looking through the whole index after each few of them costs a tenth
    # of the work.
    gc.set_threshold(50_000, 50, 100)


async def serve(settings: Settings, say: Callable[[str], object] | None = None) -> None:
    """Run until SIGTERM or Ctrl-C; `say` shows a line to the person at the terminal. Raises StartError."""
    tune_process()
    stopped = until_stopped()
    async with running(settings) as app:
        gc.freeze()
        if say is not None:
            await _welcome(settings, app, say)
        await asyncio.wait({stopped, app.finished}, return_when=asyncio.FIRST_COMPLETED)
        if app.finished.done():
            await app.finished


def until_stopped() -> asyncio.Future[None]:
    """A future that is done when the process is asked to stop."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()

    def stop() -> None:
        if not stopped.done():
            stopped.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no signal handlers on the loop; there Ctrl-C arrives as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    return stopped


async def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel and wait. A cancellation may be swallowed where a library waits with a timeout, so it is repeated."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)
