"""The section 没有帮助的回答: one task per entry and reason for which answers were rated unhelpful."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web

from faqbot.console.web.context import workspace_of
from faqbot.console.web.pages import entry_url, person, query, read_form, redirect
from faqbot.console.work.tasks import Item, Section, section
from faqbot.dialogue.ratings import RATING_NAMES
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.model.entries import Entry
from faqbot.model.question_log import QuestionRecord, Rating

PATH = "/complaints"
DAYS = 30
_MARKS = "complaints-done"
_QUOTE_CHARS = 60
_MORE = f"/stats/questions?days={DAYS}&fate=disliked"
_ADVICE = {
    Rating.UNHELPFUL: "没有说为什么",
    Rating.OUTDATED: "请核对现在的规定",
    Rating.INACCURATE: "请核对哪里不准",
    Rating.UNCLEAR: "请写得更明白",
    Rating.NOT_ASKED: "答的不是他们问的，请看看机器人为什么选了它",
}


def add_routes(app: web.Application) -> None:
    app.router.add_post(f"{PATH}/done", done)
    app.router.add_post(f"{PATH}/undone", undone)


async def complaints(workspace: Workspace) -> Section:
    """Return the open tasks, the most frequent first."""
    records = await workspace.store.questions(workspace.clock() - DAYS * 86400)
    return tasks(records, {e.id: e for e in workspace.snapshot.entries}, await workspace.store.marks(_MARKS))


def tasks(records: Sequence[QuestionRecord], entries: Mapping[str, Entry], marks: Mapping[str, str]) -> Section:
    """Return one task for each entry and reason. A task marked as done is open again with the next complaint."""
    groups: dict[str, list[QuestionRecord]] = {}
    for record in records:
        if record.rating and record.rating != Rating.HELPFUL:
            groups.setdefault(_key(record), []).append(record)
    unsettled = {
        key: [r for r in rated if r.message_id not in _settled(marks.get(key))] for key, rated in groups.items()
    }
    most = sorted(((key, rated) for key, rated in unsettled.items() if rated), key=lambda item: -len(item[1]))
    items = [item for key, rated in most if (item := _item(key, rated, entries))]
    return section("disliked", "员工说没有帮助的回答", items, _MORE)


def _key(record: QuestionRecord) -> str:
    # Of a private question only the topic is on record, in place of its text.
    return f"{record.rating}|{record.entry_id or record.text}"


def _item(key: str, records: Sequence[QuestionRecord], entries: Mapping[str, Entry]) -> Item | None:
    last = records[-1]
    rating, entry = Rating(last.rating), entries.get(last.entry_id)
    if last.entry_id and entry is None:
        return None
    quoted = last.text.strip()[:_QUOTE_CHARS]
    example = f"。最近一次问的是「{quoted}」" if entry else ""
    owner = f"，{entry.owner}负责" if entry and entry.owner else ""
    note = f"{len(records)} 人次：{_ADVICE[rating]}{example}{owner}"
    url = entry_url(entry.id, "edit") if entry else ""
    if entry and rating is Rating.NOT_ASKED:
        url = f"/try?{urlencode({'q': quoted})}"
    return Item(entry.question if entry else quoted, note, url, RATING_NAMES[rating], "amber", done=(PATH, key))


def _settled(mark: str | None) -> frozenset[str]:
    return frozenset(json.loads(mark)["messages"]) if mark else frozenset()


async def done(request: web.Request) -> web.StreamResponse:
    """Mark a task as done, with who did so and when."""
    workspace, key = workspace_of(request), (await read_form(request)).get("key", "")
    records = await workspace.store.questions(workspace.clock() - DAYS * 86400)
    messages = [r.message_id for r in records if r.rating and _key(r) == key]
    if not messages:
        raise redirect("/")
    mark = {"who": person(request), "at": workspace.clock(), "messages": messages}
    await workspace.store.put_mark(_MARKS, key, json.dumps(mark, ensure_ascii=False))
    raise redirect("/" + query({"settled": f"{PATH} {key}"}))


async def undone(request: web.Request) -> web.StreamResponse:
    """Undo: make it an open task again."""
    workspace, key = workspace_of(request), (await read_form(request)).get("key", "")
    await workspace.store.put_mark(_MARKS, key, None)
    raise redirect("/")


async def settled(workspace: Workspace, key: str) -> bool:
    """Return True if the task of this key is marked as done."""
    return bool(key) and key in await workspace.store.marks(_MARKS)
