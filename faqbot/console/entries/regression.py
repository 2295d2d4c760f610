"""Add a correctly answered question to the regression questions (自测题) of evaluation.yaml, or remove it."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from aiohttp import web

from faqbot.analytics.try_out import MAX_CHARACTERS
from faqbot.console.web.context import workspace_of
from faqbot.console.web.edit_errors import notice_on_edit_error
from faqbot.console.web.pages import local_path, notice, read_form, redirect, requested_id
from faqbot.errors import FileConflict
from faqbot.knowledge.regression_questions import NAME, with_question, without_question
from faqbot.runtime.log import EventLog

log = EventLog(__name__)

# Somebody else may change the file at the same moment; each attempt starts from its present content.
_MAX_ATTEMPTS = 5


def add_routes(app: web.Application) -> None:
    app.router.add_post("/entries/{id}/saved", change)


async def change(request: web.Request) -> web.StreamResponse:
    """Add or remove a question that this entry must answer."""
    workspace, entry_id, fields = workspace_of(request), requested_id(request), await read_form(request)
    text, remove = " ".join(fields.get("text", "").split())[:MAX_CHARACTERS], fields.get("do") == "remove"
    back = local_path(fields.get("back", "") or f"/try?{urlencode({'q': text})}")
    await workspace.base.refresh()
    is_saved = workspace.snapshot.is_saved(text, entry_id)
    if workspace.snapshot.entry(entry_id) is None or not text:
        return notice(request, 404, "没有记下", "这一条或这句话不在了。", back=back)
    if is_saved == remove:
        notice_on_edit_error(request, "没有改动", back=back)
        await _write(request, text, entry_id, remove=remove)
        await workspace.base.refresh()
        log.info("self_test.removed" if remove else "self_test.kept", entry=entry_id)
    raise redirect(back, done="not-saved-question" if remove else "saved-question")


async def _write(request: web.Request, text: str, entry_id: str, *, remove: bool) -> None:
    workspace = workspace_of(request)
    for retries in reversed(range(_MAX_ATTEMPTS)):
        raw = (await workspace.source.read()).get(NAME)
        if remove and raw is not None:
            after = await asyncio.to_thread(without_question, raw, text, entry_id)
        else:
            after = await asyncio.to_thread(with_question, raw, text, entry_id)
        try:
            await workspace.source.write(NAME, after, raw)
            return
        except FileConflict:
            if not retries:
                raise
