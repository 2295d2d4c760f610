"""Sign people in and guard every page: reading needs a session, writing also a form of the console."""

from __future__ import annotations

import contextlib
import hmac
import math
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from faqbot.console.web import origin
from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.pages import (
    SESSION,
    Handler,
    json_page,
    local_path,
    max_body,
    notice,
    read_form,
    redirect,
    session_of,
    show,
    wants_json,
)
from faqbot.console.web.sessions import IDLE_SECONDS, MAX_SESSION_SECONDS, LoginThrottle, Sessions, link_holds, use_link
from faqbot.errors import FaqbotError, StoreError
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# Addresses with an access rule of their own, or none.
_OPEN = ("/healthz", "/readyz", "/metrics")
_OPEN_BELOW = ("/static/", "/hooks/")
_READS = ("GET", "HEAD", "OPTIONS")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_MAX_NAME_CHARS = 20
_SETTING = "FAQBOT_CONSOLE_PASSWORD"


def add_routes(app: web.Application) -> None:
    app.router.add_get("/login", login_page)
    app.router.add_post("/login", login)
    app.router.add_post("/logout", logout)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Pass a request on to its page, or refuse it with the reason."""
    if request.path in _OPEN or request.path.startswith(_OPEN_BELOW):
        return await handler(request)
    if closed := _refuse_without_password(request):
        return closed
    if request.method not in _READS and (refused := _refuse_write(request)):
        return refused
    session = await _sessions(request).find(request.cookies.get(_cookie(request), ""))
    request[SESSION] = session
    if session is None and request.path not in ("/login", "/logout"):
        return _sign_in_first(request)
    if session is not None and request.query.get("done"):
        # The change may have been made at another replica a moment ago.
        with contextlib.suppress(FaqbotError):
            await workspace_of(request).base.refresh()
    return await handler(request)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into pages; unexpected ones are logged with their traceback."""
    if request.path in _OPEN or request.path.startswith(_OPEN_BELOW):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as exc:
        if exc.status < 400:
            raise
        title, text = _error_texts(request, exc.status)
        return notice(request, exc.status, title, text if not exc.text or exc.text.isascii() else exc.text)
    except StoreError:
        return notice(request, 503, "存储暂时用不了", "机器人的存储现在连不上或写不进去，请稍后再试。什么都没有改动。")
    except Exception as exc:
        log.error("console.failed", cause=exc, path=request.path, method=request.method)
        return notice(request, 500, "出错了", "这个页面出了错，已经记在日志里。请返回再试一次。")


_HTTP_ERRORS = {
    400: ("请求不完整", "少了内容，或者内容读不懂。"),
    404: ("没有这个页面", "地址可能写错了，或者内容已经被删掉。"),
    405: ("不能这样做", "这个地址不接受这种操作。"),
    413: ("内容太大", "一次最多提交 {} MB。什么都没有改动。"),
}


def _error_texts(request: web.Request, status: int) -> tuple[str, str]:
    title, text = _HTTP_ERRORS.get(status, ("不能这样做", "这个请求控制台不认识。"))
    return title, text.format(max_body(request) // 2**20)


def _refuse_without_password(request: web.Request) -> web.Response | None:
    """Refuse requests from elsewhere while no password is set; browsers on this machine need none."""
    settings = context_of(request).settings
    if settings.console_password:
        return None
    if not origin.is_loopback(settings.host):
        text = (
            f"机器人在 {settings.host} 上监听，别的机器也能打开这里，所以控制台需要密码。"
            f"请设置 {_SETTING}（环境变量或 .env），然后重新启动机器人。"
        )
        return notice(request, 403, "控制台还没有开放", text)
    if not origin.from_this_machine(request):
        text = (
            "没有设置密码的控制台只给本机的浏览器用，不能经过代理，也不能用别的域名。"
            f"要从别处打开，请设置 {_SETTING}（环境变量或 .env），然后重新启动机器人。"
        )
        return notice(request, 403, "控制台只给本机用", text)
    return None


def _refuse_write(request: web.Request) -> web.Response | None:
    """Refuse requests that write unless they are forms of our own pages and of a sensible size."""
    if not origin.from_our_page(request):
        return notice(request, 403, "没有执行", "这个请求不是从控制台的页面发出的。请回到控制台，在页面上再操作一次。")
    if (request.content_length or 0) > max_body(request):
        return notice(request, 413, *_error_texts(request, 413))
    if request.body_exists and request.content_type not in _FORMS:
        return notice(request, 415, "没有执行", "控制台只接受表单。")
    return None


def _sign_in_first(request: web.Request) -> web.StreamResponse:
    if wants_json(request):
        return json_page({"error": "请先登录"}, status=401)
    if request.method not in _READS:
        text = "登录已经过期，什么都没有保存。请在新的标签页里登录，再回到刚才的页面重新提交，写好的内容还在。"
        return notice(request, 401, "请先登录", text)
    raise redirect(login_url(request.path_qs))


def login_url(next_path: str) -> str:
    return "/login" if next_path == "/" else "/login?" + urlencode({"next": next_path})


async def login_page(request: web.Request) -> web.StreamResponse:
    """Show the sign-in form. A link is used up only with the name, because programs open links too."""
    if session_of(request) is not None:
        raise redirect(local_path(request.query.get("next", "/")))
    return await _form(request, request.query)


async def login(request: web.Request) -> web.StreamResponse:
    form = await read_form(request)
    posted = {name: form.get(name, "") for name in ("name", "password", "link", "next")}
    name = " ".join(posted["name"].split())
    if not 0 < len(name) <= _MAX_NAME_CHARS or not name.isprintable():
        return await _form(
            request, posted, f"请写下您的姓名（最多 {_MAX_NAME_CHARS} 个字），它会显示在修改历史里。", 400
        )
    throttle = LoginThrottle(workspace_of(request).store, workspace_of(request).clock)
    wait, booked = await throttle.take(origin.peer(request))
    if wait:
        text = f"试得太多了，请等 {_minutes(wait)} 再登录。"
        response = await _form(request, posted, text, 429)
        response.headers["Retry-After"] = str(math.ceil(wait))
        return response
    if not await _is_proven(request, posted):
        log.warning("console.sign_in_refused", by="link" if posted["link"] else "password")
        text = "这个链接已经用过，或者过期了。" if posted["link"] else "密码不对。"
        return await _form(request, posted | {"link": ""}, text, 403)
    await throttle.give_back(booked)
    session = await _sessions(request).begin(name)
    log.info("console.signed_in", by="link" if posted["link"] else "password")
    answer = redirect(local_path(posted["next"]))
    _put_cookie(request, answer, session.token)
    raise answer


async def logout(request: web.Request) -> web.StreamResponse:
    session = session_of(request)
    if session is not None:
        await _sessions(request).end(session.token)
    answer = redirect("/login", done="signed-out")
    answer.del_cookie(_cookie(request), path="/", secure=origin.came_by_https(request), httponly=True, samesite="Lax")
    raise answer


async def _is_proven(request: web.Request, posted: dict[str, str]) -> bool:
    if posted["link"]:
        return await use_link(workspace_of(request).store, posted["link"])
    password = context_of(request).settings.console_password
    # The setting may hold bytes that are not UTF-8; they arrive as lone surrogates.
    known, typed = (text.encode("utf-8", "surrogatepass") for text in (password, posted["password"]))
    return bool(password) and hmac.compare_digest(known, typed)


async def _form(request: web.Request, posted: Mapping[str, str], problem: str = "", status: int = 200) -> web.Response:
    """Show the sign-in page with the entered values, except the password, which is never sent back."""
    link = posted.get("link", "")
    holds = bool(link) and await link_holds(workspace_of(request).store, link)
    if link and not holds and not problem:
        problem, status = "这个链接已经用过，或者过期了。", 403
    return show(
        request,
        "login.html",
        title="登录",
        status=status,
        problem=problem,
        name=posted.get("name", ""),
        link=link if holds else "",
        next=local_path(posted.get("next", "/")),
        by_password=bool(context_of(request).settings.console_password),
    )


def _sessions(request: web.Request) -> Sessions:
    return request.app[SESSIONS]


SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions", Sessions)


def _cookie(request: web.Request) -> str:
    # Browsers let no other host set a cookie with this prefix, but accept it only over https.
    return "__Host-faqbot" if origin.came_by_https(request) else "faqbot"


def _put_cookie(request: web.Request, answer: web.HTTPException, token: str) -> None:
    answer.set_cookie(
        _cookie(request),
        token,
        path="/",
        # The store decides when a session is idle; the browser only need not drop it earlier.
        max_age=int(max(IDLE_SECONDS, MAX_SESSION_SECONDS)),
        httponly=True,
        secure=origin.came_by_https(request),
        samesite="Lax",
    )


def _minutes(seconds: float) -> str:
    return f"{math.ceil(seconds)} 秒" if seconds < 60 else f"{math.ceil(seconds / 60)} 分钟"
