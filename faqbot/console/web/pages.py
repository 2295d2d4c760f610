"""Render pages: templates, JSON versions, redirects with a message, forms, static files, common headers."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.sessions import Session
from faqbot.markup.to_html import markdown_to_html

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# The key under which the guard stores the session of the person who sent a request.
SESSION: web.RequestKey[Session | None] = web.RequestKey("session")

HERE = Path(__file__).parent.parent
STATIC = HERE / "static"
MAX_BODY_BYTES = 2 * 1024 * 1024
# The page that takes a whole table, and the limit for that table in bytes.
EXCHANGE, MAX_TABLE_BYTES = "/exchange", 8 * 1024 * 1024

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then post our own forms with the origin `null`.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# Messages that a redirect may show on the page it leads to, by their key: a link must not bring a text of its own.
MESSAGES = {
    "saved": "已保存，机器人现在就按新的内容回答。",
    "saved-told": "已保存，机器人现在就按新的内容回答；几分钟后私聊告诉最近问过的人。",
    "saved-draft": "已保存为草稿，机器人不会用它回答。",
    "added": "新条目已保存，机器人现在就能回答它。",
    "removed": "条目已删除，机器人不再回答它。",
    "wording": "已把这个问法加到「也问」里，马上生效。",
    "same-wording": "这个问法本来就写在这一条里，没有改动。",
    "saved-question": "已记为自测题。以后保存修改以前，都会先试它有没有变差。",
    "not-saved-question": "已从自测题里拿掉。",
    "unchanged": "内容没有变化，文件没有改动。",
    "approved": "已通过，机器人现在就用它回答。",
    "sent-back": "已退回，它还是草稿。",
    "withdrawn": "已撤销，它又是草稿了，机器人不再用它回答。",
    "table": "表格已写进知识，机器人现在就按新的内容回答。谁改了什么，都在「历史」里。",
    "signed-out": "已退出。",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One item of the navigation."""

    path: str
    name: str


TABS = (
    Tab("/", "今天"),
    Tab("/entries", "问答"),
    Tab("/missed", "未答"),
    Tab("/jobs", "自动"),
    Tab("/history", "历史"),
    Tab("/stats", "统计"),
)


def show(
    request: web.Request,
    template: str,
    *,
    title: str,
    tab: str = "",
    status: int = 200,
    as_json: Callable[[], Any] | None = None,
    **values: Any,
) -> web.Response:
    """Fill a template, or return its JSON twin where JSON was asked for.

    `tab` is the path of the active navigation item. `values` go to the template.
    """
    if as_json is not None and wants_json(request):
        return json_page(as_json(), status=status)
    common = {
        "title": title,
        "tab": tab,
        "tabs": TABS,
        "session": session_of(request),
        "message": MESSAGES.get(request.query.get("done", ""), ""),
        "here": request.path_qs,
        "moment": functools.partial(moment, request),
        "plain": functools.partial(plain, request),
    }
    text = environment().get_template(template).render(**common, **values)
    return web.Response(text=text, content_type="text/html", status=status)


def moment(request: web.Request, at: float) -> str:
    """Format a time (epoch seconds) in the company's time zone."""
    return datetime.fromtimestamp(at, context_of(request).settings.timezone).strftime("%Y-%m-%d %H:%M")


def plain(request: web.Request, text: object) -> str:
    """Return a place or a problem as text, with names of files in the source instead of paths on this machine."""
    return str(text).replace(f"{workspace_of(request).source.label}/", "")


def fragment(template: str, **values: Any) -> web.Response:
    """Return a part of a page, for the script to insert."""
    return web.Response(text=environment().get_template(template).render(**values), content_type="text/html")


def json_page(value: Any, *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=functools.partial(json.dumps, ensure_ascii=False))


def notice(request: web.Request, status: int, title: str, text: str, *, back: str = "") -> web.Response:
    """Show a page with one message, such as an error, and a link back."""
    if wants_json(request):
        return json_page({"error": f"{title}：{text}"}, status=status)
    return show(request, "notice.html", title=title, status=status, text=text, back=back)


def wants_json(request: web.Request) -> bool:
    return request.query.get("format") == "json" or request.path.endswith(".json")


def redirect(path: str, *, done: str = "") -> web.HTTPException:
    """Return the redirect to raise after a form was processed, so that reloading the page posts nothing."""
    if done:
        path += ("&" if "?" in path else "?") + urlencode({"done": done})
    return web.HTTPSeeOther(path)


def add_page(app: web.Application, path: str, handler: Handler) -> None:
    """Serve a page that people read, at `path` and with `.json` behind it."""
    app.router.add_get(path, handler)
    if not path.endswith(("/", "}")):
        app.router.add_get(f"{path}.json", handler)


def max_body(request: web.Request) -> int:
    """Return the size limit of a form in bytes."""
    return MAX_TABLE_BYTES if request.path == EXCHANGE else MAX_BODY_BYTES


async def read_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a posted form, with line ends as newlines. Raises 400 or 413 for anything else."""
    fields = await posted(request)
    return {name: re.sub("\r\n?", "\n", value) for name, value in fields.items() if isinstance(value, str)}


async def posted(request: web.Request) -> Mapping[str, str | bytes | bytearray | web.FileField]:
    """Return the fields and files of a posted form. Raises 400 or 413 for anything else."""
    if (limit := max_body(request)) > MAX_BODY_BYTES:
        request = request.clone(client_max_size=limit)
    try:
        return await request.post()
    except (LookupError, ValueError) as exc:
        raise web.HTTPBadRequest() from exc


def session_of(request: web.Request) -> Session | None:
    """Return the session of the person who sent the request; None for somebody who is not signed in."""
    return request.get(SESSION)


def person(request: web.Request) -> str:
    """Return the name of the signed-in person, for the record of changes."""
    session = session_of(request)
    return session.name if session else ""


def local_path(text: str) -> str:
    """Return `text` if it is a path on this console, else the front page, so that no link leads elsewhere."""
    odd = any(ord(c) <= 32 or c in "\\\x7f" for c in text)
    return text if text.startswith("/") and not text.startswith("//") and not odd else "/"


# Ids that mean something else as a part of a path.
_ODD_IDS = {"new", "=", ".", ".."}


def entry_url(entry_id: str, action: str = "") -> str:
    """Return the address of the page of an entry; ids may be any text."""
    behind = f"/{action}" if action else ""
    if entry_id in _ODD_IDS or "/" in entry_id or entry_id.endswith(".json"):
        return f"/entries/={behind}?{urlencode({'id': entry_id})}"
    return f"/entries/{quote(entry_id, safe='')}{behind}"


def requested_id(request: web.Request) -> str:
    """Return the id that `entry_url` put into the address."""
    entry_id = request.match_info["id"]
    if entry_id == "=":
        return request.query.get("id", "")
    return entry_id.removesuffix(".json")


@functools.cache
def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["entry_url"] = entry_url
    env.globals["static_url"] = static_url
    env.globals["query"] = query
    env.filters["bubble"] = markdown_to_html
    return env


def query(values: Mapping[str, Any]) -> str:
    """Return the query of a link, without empty values."""
    filled = {name: value for name, value in values.items() if value not in ("", None)}
    return f"?{urlencode(filled)}" if filled else ""


@functools.cache
def static_url(name: str) -> str:
    """Return the address of a file under `static/`, which changes with its content."""
    version = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{version}/{name}"


_STATIC_TYPES = {"style.css": "text/css", "app.js": "text/javascript", "icon.svg": "image/svg+xml"}


async def static_file(request: web.Request) -> web.Response:
    """Serve style, script and icon; the version in the address lets browsers keep them for good."""
    name = request.match_info["name"]
    if name not in _STATIC_TYPES:
        raise web.HTTPNotFound()
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return web.Response(body=_static(name), content_type=_STATIC_TYPES[name], charset="utf-8", headers=headers)


@functools.cache
def _static(name: str) -> bytes:
    return (STATIC / name).read_bytes()


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers to every answer."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
