"""The page 表格: download the knowledge as a table; preview an uploaded table, then import exactly that."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from aiohttp import web

from faqbot.console.entries.browse import TAB
from faqbot.console.web.context import workspace_of
from faqbot.console.web.pages import (
    EXCHANGE,
    add_page,
    notice,
    person,
    plain,
    posted,
    read_form,
    redirect,
    session_of,
    show,
)
from faqbot.errors import EditError, FileSourceError
from faqbot.knowledge.editing import external_changes
from faqbot.knowledge.editing.audit_log import Edit
from faqbot.knowledge.editing.versions import Field
from faqbot.knowledge.spreadsheet.annotated import annotate_table
from faqbot.knowledge.spreadsheet.comparison import ImportPlan
from faqbot.knowledge.spreadsheet.comparison import TableEdit as Row
from faqbot.knowledge.spreadsheet.files import make_table
from faqbot.knowledge.spreadsheet.importer import import_table
from faqbot.knowledge.spreadsheet.workbook import SheetError
from faqbot.language.text_diff import side_by_side
from faqbot.model.entries import Problem

UPLOAD_SECONDS = 15 * 60.0
# Previews kept in memory; the oldest is dropped.
_MAX_UPLOADS = 10
# Rows listed on the page; the rest is only counted.
_MAX_LISTED_ROWS = 200
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded table and its preview, kept until it is written or 15 minutes have passed."""

    session: str
    until: float
    name: str
    raw: bytes
    plan: ImportPlan
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    lines: tuple[Edit, ...]
    problems: tuple[Problem, ...]
    removes: bool

    @property
    def ok(self) -> bool:
        return self.plan.ok and not any(p.is_error for p in self.problems)

    @property
    def writes(self) -> bool:
        return self.ok and self.before != self.after


_UPLOADS: web.AppKey[dict[str, Upload]] = web.AppKey("uploads")


def add_routes(app: web.Application) -> None:
    app[_UPLOADS] = {}
    add_page(app, EXCHANGE, page)
    app.router.add_get(EXCHANGE + r"/knowledge.{kind:xlsx|csv}", download)
    app.router.add_get(EXCHANGE + "/report", report)
    app.router.add_post(EXCHANGE, look)
    app.router.add_post(EXCHANGE + "/write", write)


async def page(request: web.Request) -> web.StreamResponse:
    """Show the download links and the upload form."""
    return _page(request)


async def download(request: web.Request) -> web.StreamResponse:
    """Send all entries as a table."""
    name = f"knowledge.{request.match_info['kind']}"
    workspace = workspace_of(request)
    files = await workspace.source.read()
    if unread := [f"{p.place}：{p.message}" for p in await workspace.source.problems() if p.is_error]:
        return notice(request, 409, "没有导出", plain(request, "；".join(unread)), back=EXCHANGE)
    problems, content, _ = await asyncio.to_thread(make_table, files, name, lambda part: None)
    if problems:
        return notice(request, 409, "没有导出", plain(request, "；".join(problems)), back=EXCHANGE)
    return _file(content, name)


async def look(request: web.Request) -> web.StreamResponse:
    """Preview the changes by the uploaded table. Nothing is written."""
    fields = await posted(request)
    upload_field = fields.get("table")
    if not isinstance(upload_field, web.FileField):
        return _page(request, problem="请先选一个表格文件（.xlsx 或 .csv）。", status=422)
    name = PurePath(upload_field.filename.replace("\\", "/")).name
    with upload_field.file as file:
        raw = await asyncio.to_thread(file.read)
    try:
        upload = await _preview(request, name, raw, removes="remove" in fields)
    except (SheetError, EditError, FileSourceError) as exc:
        return _page(request, problem=str(exc), status=422)
    token = await _store_upload(request, upload)
    row_fields = await asyncio.to_thread(lambda: [(row, _fields(row)) for row in upload.plan.edits[:_MAX_LISTED_ROWS]])
    return _page(request, upload=upload, token=token, rows=row_fields, status=200 if upload.ok else 422)


async def report(request: web.Request) -> web.StreamResponse:
    """Send the uploaded table back with columns 结果 and 建议."""
    upload = await _stored_upload(request, request.query.get("token", ""))
    if upload is None:
        raise web.HTTPNotFound()
    content = await asyncio.to_thread(annotate_table, upload.name, upload.raw, upload.plan, written=False)
    path = PurePath(upload.name)
    return _file(content, f"{path.stem}-结果{path.suffix}")


async def write(request: web.Request) -> web.StreamResponse:
    """Write exactly the edits that the preview showed, once."""
    workspace, token = workspace_of(request), (await read_form(request)).get("token", "")
    upload = await _stored_upload(request, token)
    # Claimed before anything is written: a second press of the button, here or at another replica, finds nothing.
    if upload is None or not upload.writes or not await workspace.store.claim(f"console:table:{token}", UPLOAD_SECONDS):
        text = "这份试看已经写过，或者超过了 15 分钟。请到「历史」看有没有写进去；没有的话，再上传一次表格。"
        return notice(request, 409, "没有写", text, back=EXCHANGE)
    request.app[_UPLOADS].pop(token, None)
    try:
        await workspace.source.write_all(upload.before, upload.after)
    except FileSourceError as exc:
        return notice(request, 409, "没有写", f"{exc}。请再上传一次表格，看过以后再写。", back=EXCHANGE)
    await workspace.make_live(upload.lines)
    raise redirect(EXCHANGE, done="table")


async def _preview(request: web.Request, name: str, raw: bytes, *, removes: bool) -> Upload:
    """Compute the preview of a table. Raises SheetError, EditError, FileSourceError."""
    workspace = workspace_of(request)
    before, who = dict(await workspace.source.read()), person(request)

    def work() -> tuple[ImportPlan, dict[str, bytes], tuple[Edit, ...]]:
        plan, after = import_table(before, name, raw, delete_missing=removes)
        changed = [(file, before.get(file), content) for file, content in after.items() if before.get(file) != content]
        return plan, after, tuple(line for files in changed for line in external_changes.differences(*files, who))

    plan, after, lines = await asyncio.to_thread(work)
    problems = (await workspace.trial_files(after))[1] if after != before else ()
    session = session_of(request)
    owner, until = session.token if session else "", workspace.clock() + UPLOAD_SECONDS
    return Upload(owner, until, name, raw, plan, before, after, lines, problems, removes)


async def _store_upload(request: web.Request, upload: Upload) -> str:
    uploads, workspace = request.app[_UPLOADS], workspace_of(request)
    for token in [token for token, other in uploads.items() if other.until <= workspace.clock()]:
        del uploads[token]
    while len(uploads) >= _MAX_UPLOADS:
        del uploads[next(iter(uploads))]
    new_token = secrets.token_urlsafe(24)
    uploads[new_token] = upload
    if workspace.store.shared_texts is not None:
        await workspace.store.put_note(_key(new_token), _packed(upload), UPLOAD_SECONDS)
    return new_token


async def _stored_upload(request: web.Request, token: str) -> Upload | None:
    """Return the upload of a token, to the session that sent it only."""
    upload, session, workspace = request.app[_UPLOADS].get(token), session_of(request), workspace_of(request)
    if session is None:
        return None
    if upload is None and workspace.store.shared_texts is not None:
        upload = await _from_replica(request, token)
    if upload is None or upload.session != session.token or upload.until <= workspace.clock():
        return None
    return upload


async def _from_replica(request: web.Request, token: str) -> Upload | None:
    """Rebuild an upload that another replica received; None if it would not write the edits that were shown there."""
    note, session = await workspace_of(request).store.note(_key(token)), session_of(request)
    packed = json.loads(note) if note else {}
    if session is None or packed.get("session") != _hash(session.token.encode()):
        return None
    try:
        upload = await _preview(request, packed["name"], base64.b64decode(packed["raw"]), removes=packed["removes"])
    except (SheetError, EditError, FileSourceError):
        return None
    return upload if packed["files"] == _hash_of(upload) else None


def _packed(upload: Upload) -> str:
    return json.dumps(
        {
            "session": _hash(upload.session.encode()),
            "name": upload.name,
            "raw": base64.b64encode(upload.raw).decode(),
            "removes": upload.removes,
            "files": _hash_of(upload),
        }
    )


def _hash_of(upload: Upload) -> str:
    """Return a hash of all files before and after."""
    return _hash(repr([sorted(upload.before.items()), sorted(upload.after.items())]).encode())


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _key(token: str) -> str:
    return f"console:upload:{_hash(token.encode())}"


def _fields(row: Row) -> list[Field]:
    return [Field(change.column, *side_by_side(change.before, change.after)) for change in row.changes]


def _page(
    request: web.Request,
    *,
    upload: Upload | None = None,
    token: str = "",
    rows: list[tuple[Row, list[Field]]] | None = None,
    problem: str = "",
    status: int = 200,
) -> web.Response:
    troubles = sorted(upload.plan.problems, key=lambda t: not t.is_error) if upload else []
    return show(
        request,
        "exchange.html",
        title="表格",
        tab=TAB,
        status=status,
        as_json=lambda: _as_json(upload, problem),
        upload=upload,
        token=token,
        shown=rows or [],
        troubles=troubles,
        most=_MAX_LISTED_ROWS,
        problem=problem,
    )


def _as_json(upload: Upload | None, problem: str) -> dict[str, Any]:
    if problem:
        return {"error": problem}
    if upload is None:
        return {}
    plan = upload.plan
    return {
        "ok": upload.ok,
        "added": len(plan.new),
        "changed": len(plan.changed),
        "unchanged": plan.unchanged,
        "missing": len(plan.missing),
        "troubles": [str(t) for t in plan.problems],
    }


def _file(content: bytes, name: str) -> web.Response:
    kind = _TYPES.get(PurePath(name).suffix.casefold(), "text/csv")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
    return web.Response(body=content, content_type=kind, headers=headers)
