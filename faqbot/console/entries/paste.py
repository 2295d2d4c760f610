"""The page 粘贴成条目: turn a pasted document, table or chat into proposed entries to open in the form."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from faqbot.console.entries.browse import TAB
from faqbot.console.web.context import workspace_of
from faqbot.console.web.pages import add_page, read_form, show
from faqbot.dialogue.answer_policy import judge_many
from faqbot.knowledge.editing import proposals
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.pasted.importer import Pasted, read_pasted
from faqbot.knowledge.pasted.proposal import ProposedEntry
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry

MAX_BYTES = 200 * 1024  # bytes
_MAX_PROPOSALS = 200


@dataclass(frozen=True, slots=True)
class ComparedProposal:
    """A proposed entry, and the entry that answers its question already."""

    proposal: ProposedEntry
    answered_by: Entry | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self.proposal) | {"answered_by": self.answered_by.id if self.answered_by else None}


def add_routes(app: web.Application) -> None:
    add_page(app, "/paste", paste_page)
    app.router.add_post("/paste", propose)
    app.router.add_post("/paste.json", propose)


async def paste_page(request: web.Request) -> web.StreamResponse:
    """Show an empty field to paste into."""
    return await _page(request, "", "")


async def propose(request: web.Request) -> web.StreamResponse:
    """Show the entries that the text proposes. Nothing is written: each goes through the form of a new entry."""
    fields = await read_form(request)
    text, file = fields.get("text", ""), fields.get("file", "")
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        problem = f"一次最多粘贴 {MAX_BYTES // 1024} KB，这里有 {size // 1024} KB，请分几次粘贴。"
        return await _page(request, text, file, problem=problem, status=413)
    if not text.strip():
        return await _page(request, text, file, problem="还没有粘贴文字。", status=422)
    pasted = await asyncio.to_thread(read_pasted, text)
    compared = await asyncio.to_thread(_compared, pasted.proposals[:_MAX_PROPOSALS], workspace_of(request))
    return await _page(request, text, file, pasted=pasted, compared=compared)


def _compared(proposals: Sequence[ProposedEntry], workspace: Workspace) -> list[ComparedProposal]:
    """Pair the proposals with the entries that answer their questions already."""
    snapshot = workspace.snapshot
    questions = [p.question for p in proposals]
    judged = judge_many(questions, snapshot.index, limits=workspace.limits(snapshot), today=workspace.today())
    return [
        ComparedProposal(proposal, decision.entry if isinstance(decision, Answered) else None)
        for proposal, (decision, _) in zip(proposals, judged, strict=True)
    ]


async def _page(
    request: web.Request,
    text: str,
    file: str,
    *,
    pasted: Pasted | None = None,
    compared: Sequence[ComparedProposal] = (),
    problem: str = "",
    status: int = 200,
) -> web.Response:
    doubtful = sum(bool(s.proposal.doubts or s.answered_by) for s in compared)
    return show(
        request,
        "paste.html",
        title="粘贴成条目",
        tab=TAB,
        status=status,
        as_json=lambda: _as_json(pasted, compared, problem),
        text=text,
        file=file,
        files=proposals.faq_files(await workspace_of(request).source.read()),
        found=pasted,
        shown=compared,
        doubtful=doubtful,
        more=len(pasted.proposals) - len(compared) if pasted else 0,
        problem=problem,
    )


def _as_json(pasted: Pasted | None, compared: Sequence[ComparedProposal], problem: str) -> dict[str, Any]:
    if problem:
        return {"error": problem}
    if pasted is None:
        return {}
    return {
        "kind": pasted.kind,
        "total": len(pasted.proposals),
        "proposals": [s.as_json() for s in compared],
        "unread": list(pasted.unread),
    }
