"""Serve HTTP for the bot process: health, readiness, metrics, webhooks, and the pages of the console."""

from __future__ import annotations

import contextlib
import errno
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import BasicAuth, web

from faqbot.automation import webhook_context, webhooks
from faqbot.automation.event_queue import EventQueue
from faqbot.automation.webhook_context import WebhookContext
from faqbot.console import automations, statistics
from faqbot.console.entries import browse, edit, history, paste, regression, spreadsheet
from faqbot.console.web import auth, pages, picture_files
from faqbot.console.web.context import CONTEXT, ConsoleContext, workspace_of
from faqbot.console.web.edit_errors import edit_errors
from faqbot.console.web.origin import from_this_machine, peer
from faqbot.console.web.sessions import LoginThrottle, Sessions
from faqbot.console.work import complaints, deploy_conflicts, drafts, gaps, suggestions, tickets, today
from faqbot.errors import StartError, StoreError
from faqbot.knowledge.impact.past_questions import PastQuestions
from faqbot.knowledge.wiring import KnowledgeParts
from faqbot.runtime.metrics import CONTENT_TYPE, Metrics
from faqbot.runtime.resources import Resources


@dataclass(frozen=True, slots=True)
class Health:
    """Checks that must hold for questions to arrive and be stored."""

    stream: Callable[[], bool]
    store: Callable[[], bool]


_HEALTH: web.AppKey[Health] = web.AppKey("health")
_METRICS: web.AppKey[Metrics] = web.AppKey("metrics")
_PASSWORD: web.AppKey[str] = web.AppKey("password")
_PARTS = (
    auth,
    today,
    complaints,
    tickets,
    deploy_conflicts,
    edit,
    drafts,
    browse,
    paste,
    picture_files,
    spreadsheet,
    gaps,
    suggestions,
    history,
    statistics,
    automations,
    webhooks,
    regression,
)


async def open_console(
    stack: contextlib.AsyncExitStack,
    resources: Resources,
    knowledge: KnowledgeParts,
    *,
    health: Health,
    events: EventQueue,
) -> str:
    """Listen until the stack closes; return the address, with the port that was really taken.

    Raises StartError when the port is taken or the host is not ours.
    """
    settings, workspace = resources.settings, knowledge.workspace
    host, port = settings.host, settings.port
    context = ConsoleContext(workspace, settings, PastQuestions(workspace), knowledge.meaning)
    runner = web.AppRunner(build(context, health, resources.metrics, events), access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as exc:
        why = "已被占用，请用 FAQBOT_PORT 换一个" if exc.errno == errno.EADDRINUSE else f"不能监听（{exc.strerror}）"
        raise StartError(f"端口 {host}:{port} {why}") from exc
    actual_port = runner.addresses[0][1]
    shown_host = f"[{host}]" if ":" in host else host
    return f"http://{shown_host}:{actual_port}"


def build(context: ConsoleContext, health: Health, metrics: Metrics, events: EventQueue) -> web.Application:
    """Build the application with all its routes; each module of the console adds its own."""
    app = web.Application(middlewares=[auth.errors, auth.guard, edit_errors], client_max_size=pages.MAX_BODY_BYTES)
    app[_HEALTH], app[_METRICS], app[_PASSWORD] = health, metrics, context.settings.console_password
    app[CONTEXT] = context
    app[webhook_context.CONTEXT] = WebhookContext(
        secret=context.settings.hook_secret,
        automations=lambda: context.workspace.snapshot.automations,
        variable=context.settings.variable,
        store=context.workspace.store,
        events=events,
        metrics=metrics,
        clock=context.workspace.clock,
    )
    app[auth.SESSIONS] = Sessions(context.workspace.store, context.settings.console_password)
    app.on_response_prepare.append(pages.add_headers)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/static/{version}/{name}", pages.static_file)
    for part in _PARTS:
        part.add_routes(app)
    return app


async def _healthz(request: web.Request) -> web.Response:
    """Answer as long as the process runs."""
    return web.json_response({"ok": True})


async def _readyz(request: web.Request) -> web.Response:
    """Answer 200 if questions can arrive by the stream connection and be stored."""
    health = request.app[_HEALTH]
    stream, store = health.stream(), health.store()
    ready = stream and store
    return web.json_response({"ready": ready, "stream": stream, "store": store}, status=200 if ready else 503)


async def _metrics(request: web.Request) -> web.Response:
    """Serve the Prometheus metrics; from other machines they need the console password."""
    if not from_this_machine(request) and (refused := await _refused(request)):
        return refused
    body = request.app[_METRICS].show()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


async def _refused(request: web.Request) -> web.Response | None:
    """Return the refusal without the right password; attempts count together with those of the sign-in page."""
    headers = {"WWW-Authenticate": 'Basic realm="faqbot metrics", charset="UTF-8"'}
    if "Authorization" in request.headers:
        throttle, booked = LoginThrottle(workspace_of(request).store, workspace_of(request).clock), list[str]()
        # Metrics are needed most while the store is unavailable.
        with contextlib.suppress(StoreError):
            wait, booked = await throttle.take(peer(request))
            if wait:
                text = "错得太多了，请过几分钟再试\n"
                return web.Response(status=429, text=text, headers={"Retry-After": str(math.ceil(wait))})
        if _knows_password(request):
            with contextlib.suppress(StoreError):
                await throttle.give_back(booked)
            return None
    return web.Response(status=401, text="需要用控制台密码登录（HTTP Basic）\n", headers=headers)


def _knows_password(request: web.Request) -> bool:
    password = request.app[_PASSWORD]
    try:
        credentials = BasicAuth.decode(request.headers.get("Authorization", ""), encoding="utf-8")
    except ValueError:
        return False
    return bool(password) and hmac.compare_digest(
        *(t.encode("utf-8", "surrogatepass") for t in (credentials.password, password))
    )
