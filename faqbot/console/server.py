"""The HTTP server of the bot process: health and readiness."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable

from aiohttp import web

from faqbot.errors import StartError

_READY: web.AppKey[Callable[[], bool]] = web.AppKey("ready")


async def open_console(stack: contextlib.AsyncExitStack, host: str, port: int, *, ready: Callable[[], bool]) -> str:
    """Listen until the stack closes; return the address, with the port that was really taken.

    Raises StartError when the port is taken or the host is not ours.
    """
    app = web.Application()
    app[_READY] = ready
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as exc:
        why = "已被占用，请用 FAQBOT_PORT 换一个" if exc.errno == errno.EADDRINUSE else f"不能监听（{exc.strerror}）"
        raise StartError(f"端口 {host}:{port} {why}") from exc
    taken = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{taken}"


async def _healthz(request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"ok": True})


async def _readyz(request: web.Request) -> web.Response:
    """The stream connection is open, so questions can arrive."""
    ready = request.app[_READY]()
    return web.json_response({"ready": ready, "stream": ready}, status=200 if ready else 503)
