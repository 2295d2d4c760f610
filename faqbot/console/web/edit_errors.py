"""Middleware that shows why an edit failed, for all handlers that write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from faqbot.console.web.pages import Handler, notice
from faqbot.errors import EditError, FileSourceError, NotAllowed
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.editing.versions import Field

_STALE = "有人刚才改了这个文件，请再试一次。"

RefusedPage = Callable[[str], Awaitable[web.StreamResponse]]
StalePage = Callable[[StaleEdit], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class EditConflict:
    """The file changed while somebody wrote: the fields that differ, those of the file now on the left.

    `elsewhere` says that another part of the file was changed, `gone` that the entry is not there any more; `side` is
    the version that was to be restored, before or after.
    """

    fields: Sequence[Field] = ()
    elsewhere: bool = False
    gone: bool = False
    side: str = ""


@dataclass(frozen=True, slots=True)
class _Pages:
    refused: RefusedPage
    stale: StalePage


_PAGES: web.RequestKey[_Pages] = web.RequestKey("edit_error_pages", _Pages)


def on_edit_error(request: web.Request, *, refused: RefusedPage, stale: StalePage) -> None:
    """Show `refused` with the reason if an edit of this request fails, `stale` if its file changed meanwhile."""
    request[_PAGES] = _Pages(refused, stale)


def notice_on_edit_error(
    request: web.Request,
    title: str,
    *,
    back: str,
    status: int = 422,
    stale_text: str = _STALE,
    stale: StalePage | None = None,
) -> None:
    """Show a notice with this title and the reason if an edit of this request fails.

    `status` is that of the notice with a reason. Where the file changed meanwhile, the notice says `stale_text` with
    status 409, or `stale` is shown.
    """

    async def refused(reason: str) -> web.StreamResponse:
        return notice(request, status, title, reason, back=back)

    async def stale_notice(exc: StaleEdit) -> web.StreamResponse:
        return notice(request, 409, title, stale_text, back=back)

    on_edit_error(request, refused=refused, stale=stale or stale_notice)


@web.middleware
async def edit_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Show the page that the handler chose for an edit that fails; without one, the error is raised on."""
    try:
        try:
            return await handler(request)
        except StaleEdit as exc:
            if _PAGES not in request:
                raise
            return await request[_PAGES].stale(exc)
    except (EditError, FileSourceError, NotAllowed) as exc:
        if _PAGES not in request:
            raise
        return await request[_PAGES].refused(str(exc))
