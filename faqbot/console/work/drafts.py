"""The page of a draft (草稿): preview it, approve it or send it back, withdraw an approval within a day."""

from __future__ import annotations

from aiohttp import web

from faqbot.console.entries.browse import bubble_of, find_entry
from faqbot.console.web.context import ConsoleContext, context_of, workspace_of
from faqbot.console.web.edit_errors import notice_on_edit_error
from faqbot.console.web.pages import entry_url, notice, person, read_form, redirect, show
from faqbot.errors import EditError, NotAllowed
from faqbot.knowledge.editing.audit_log import FILES
from faqbot.knowledge.editing.revision import StaleEdit
from faqbot.knowledge.impact.preview import ChangePreview, preview_effects
from faqbot.model.entries import Entry
from faqbot.review import draft_records, draft_review
from faqbot.review.draft_records import UNDO_SECONDS, DraftReview, Reviewer
from faqbot.review.personal_details import details_remark

TAB = "/"
_MAX_REASON_CHARS = 200


def add_routes(app: web.Application) -> None:
    app.router.add_get("/entries/{id}/approve", page)
    app.router.add_post("/entries/{id}/approve", approve)
    app.router.add_post("/entries/{id}/send-back", send_back)
    app.router.add_post("/entries/{id}/withdraw", withdraw)


async def page(request: web.Request) -> web.StreamResponse:
    """Show a draft and the changes by approving it, or the person who approved it."""
    await workspace_of(request).base.refresh()
    return await _show(request, find_entry(request))


async def approve(request: web.Request) -> web.StreamResponse:
    workspace, fields = workspace_of(request), await read_form(request)
    await workspace.base.refresh()
    entry = find_entry(request)

    async def show_again(exc: StaleEdit) -> web.StreamResponse:
        await workspace.base.refresh()
        return await _show(request, find_entry(request), stale=True)

    notice_on_edit_error(request, "没有通过", back=entry_url(entry.id, "approve"), stale=show_again)
    if entry.draft:
        await draft_review.approve(workspace, entry, Reviewer(person(request)), fields.get("seen", ""))
    raise redirect(entry_url(entry.id, "approve"), done="approved")


async def send_back(request: web.Request) -> web.StreamResponse:
    workspace, entry, fields = workspace_of(request), find_entry(request), await read_form(request)
    why = " ".join(fields.get("why", "").split())[:_MAX_REASON_CHARS]
    try:
        await draft_review.send_back(workspace, entry, Reviewer(person(request)), why)
    except NotAllowed as exc:
        return notice(request, 409, "没有退回", str(exc), back=entry_url(entry.id))
    raise redirect(entry_url(entry.id, "approve"), done="sent-back")


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Withdraw an approval."""
    workspace, entry = workspace_of(request), find_entry(request)
    back = entry_url(entry.id, "approve")
    review = draft_records.latest_review(await draft_records.load_reviews(workspace), entry.id)
    notice_on_edit_error(request, "没有撤销", back=back)
    if review is None:
        raise NotAllowed("没有找到这次通过的记录")
    await draft_review.withdraw(workspace, review, Reviewer(person(request)))
    raise redirect(back, done="withdrawn")


async def _show(request: web.Request, entry: Entry, *, stale: bool = False) -> web.StreamResponse:
    workspace = workspace_of(request)
    review = draft_records.latest_review(await draft_records.number_drafts(workspace), entry.id)
    author = (await draft_records.last_authors(workspace, {entry.id})).get(entry.id)
    seen, effects, problem = await _preview_approval(context_of(request), entry) if entry.draft else ("", None, "")
    return show(
        request,
        "approve.html",
        title=entry.question,
        tab=TAB,
        status=409 if stale else 200,
        entry=entry,
        review=review,
        author=author_text(author),
        details=details_remark(entry),
        file=workspace.file_name(entry.place.file),
        seen=seen,
        effects=effects,
        problem=problem,
        stale=stale,
        can_withdraw=review is not None and review.can_be_withdrawn(entry, workspace.clock()),
        until=review.at + UNDO_SECONDS if review else 0.0,
        bubble=bubble_of(entry),
    )


async def _preview_approval(context: ConsoleContext, entry: Entry) -> tuple[str, ChangePreview | None, str]:
    """Return the version of the file, the preview of the approval, and the reason if it is not possible."""
    try:
        revision = await context.workspace.load(entry)
        return (
            revision.seen,
            await preview_effects(
                context.workspace, context.past_questions, await draft_review.propose_approval(revision)
            ),
            "",
        )
    except EditError as exc:
        return "", None, str(exc)


def author_text(author: Reviewer | None) -> str:
    """Return the author of a draft in words; a change in the files has no name."""
    if author is None or not author.name:
        return ""
    return "有人在文件里" if author.name == FILES else author.name


def review_note(review: DraftReview | None, entry: Entry, author: Reviewer | None) -> str:
    """Return the note on a draft that the page 今天 shows: topic, author, owner, and who sent it back and why."""
    parts = [
        entry.topic,
        f"{name}写的" if (name := author_text(author)) else "",
        f"{entry.owner}负责" if entry.owner else "",
    ]
    if review and review.state is draft_records.ReviewState.SENT_BACK and not review.is_pending(entry):
        parts.append(f"{review.by or '有人'}退回" + (f"：{review.why}" if review.why else ""))
    parts.append(details_remark(entry))
    return "，".join(filter(None, parts))
