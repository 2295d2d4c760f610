"""The page 部署的文件: resolve conflicts between changes made in the console and in a deployment.

That happens only where replicas share the knowledge through the store.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from faqbot.console.web.context import workspace_of
from faqbot.console.web.pages import add_page, notice, read_form, redirect, show
from faqbot.console.work.tasks import Item, Section, section
from faqbot.errors import EditError, FileConflict, FileSourceError
from faqbot.knowledge.editing.external_changes import differences
from faqbot.knowledge.editing.versions import Field, fields_of, question_of
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.entry_parser import parse_file
from faqbot.knowledge.files.replicated import ReplicatedSource
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.text_diff import side_by_side

PATH = "/deployed"


@dataclass(frozen=True, slots=True)
class EntryDifference:
    """One entry that differs between the live and the deployed file, or a whole file without entries."""

    title: str
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class DisputedFile:
    """A file to decide about. `broken` is the reason why the deployed text cannot be taken."""

    file: str
    live: bytes | None
    deployed: bytes | None
    differences: list[EntryDifference]
    broken: str = ""

    @property
    def seen(self) -> str:
        """Version of both texts. The form sends it back, so that a later change of either is noticed."""
        return hashlib.sha256(repr((self.live, self.deployed)).encode()).hexdigest()[:24]


def add_routes(app: web.Application) -> None:
    add_page(app, PATH, page)
    app.router.add_post(PATH, decide)


async def waiting(workspace: Workspace) -> Section:
    """Return the files to decide about, for the page 今天."""
    items = [
        Item(name, "部署里的和控制台里的不一样，现在用的是控制台里的", PATH, "请选一个", "amber")
        for name in await _texts(workspace)
    ]
    return section("deployed", "部署的文件没有生效", items, PATH, "个")


async def without_disputes(workspace: Workspace, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without the problems that waiting() reports."""
    if not isinstance(workspace.source, ReplicatedSource):
        return snapshot
    conflicts = await workspace.source.conflict_problems()
    return replace(snapshot, problems=tuple(p for p in snapshot.problems if p not in conflicts))


async def page(request: web.Request) -> web.StreamResponse:
    """Show each file with both texts and a button for either."""
    disputes = await _disputes(workspace_of(request))
    return show(
        request,
        "deployed.html",
        title="部署的文件",
        tab="/",
        as_json=lambda: {"files": [{"file": d.file, "gone": d.deployed is None} for d in disputes]},
        disputes=disputes,
        done=request.query.get("done", "") == "decided",
    )


async def decide(request: web.Request) -> web.StreamResponse:
    """Take the deployed text of a file, or keep the one that is live."""
    workspace, fields = workspace_of(request), await read_form(request)
    take = fields.get("take") == "deployed"
    disputed = next((d for d in await _disputes(workspace) if d.file == fields.get("file")), None)
    if disputed is None or disputed.seen != fields.get("seen") or not isinstance(workspace.source, ReplicatedSource):
        return notice(request, 409, "没有改动", "这个文件刚刚又变了，请看过现在的内容再选。", back=PATH)
    if take and disputed.broken:
        return notice(request, 422, "没有改动", f"部署的文件里有错误：{disputed.broken}", back=PATH)
    try:
        await workspace.source.resolve(disputed.file, disputed.live, disputed.deployed, take_deployed=take)
    except FileConflict as exc:
        return notice(request, 409, "没有改动", str(exc), back=PATH)
    except FileSourceError as exc:
        return notice(request, 503, "没有改动", str(exc), back=PATH)
    await workspace.base.refresh()
    raise redirect(PATH, done="decided")


async def _texts(workspace: Workspace) -> Mapping[str, tuple[bytes | None, bytes | None]]:
    """Return both texts of each disputed file; none where one process has its folder to itself."""
    return await workspace.source.conflicts() if isinstance(workspace.source, ReplicatedSource) else {}


async def _disputes(workspace: Workspace) -> list[DisputedFile]:
    texts = await _texts(workspace)
    return await asyncio.to_thread(lambda: [_dispute(name, *both) for name, both in texts.items()])


def _dispute(name: str, live: bytes | None, deployed: bytes | None) -> DisputedFile:
    broken = ""
    if name.startswith("faq/") and deployed is not None:
        broken = next((f"{p.place}：{p.message}" for p in parse_file(name, deployed).problems if p.is_error), "")
    return DisputedFile(name, live, deployed, _differences(name, live, deployed), broken)


def _differences(name: str, live: bytes | None, deployed: bytes | None) -> list[EntryDifference]:
    if name.startswith("faq/"):
        try:
            edits = differences(name, live, deployed)
        except EditError:
            edits = []
        if edits:
            return [EntryDifference(question_of(edit), fields_of(edit.before, edit.after)) for edit in edits]
    sides = side_by_side(*((text or b"").decode("utf-8", "replace") for text in (live, deployed)))
    return [EntryDifference(name, [Field("文件的内容", *sides)])]
