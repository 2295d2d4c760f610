"""The page 问答 for writing: check and save the form of an entry, add a wording, remove an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web

from faqbot.console.entries.browse import TAB, bubble_of, find_entry, summary
from faqbot.console.entries.correction_offer import DAYS, MINUTES, Offer, offer_to_tell
from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.edit_errors import EditConflict, notice_on_edit_error, on_edit_error
from faqbot.console.web.pages import entry_url, fragment, notice, person, read_form, redirect, requested_id, show
from faqbot.errors import EditError, FileSourceError
from faqbot.knowledge import entry_search
from faqbot.knowledge.editing import entry_editor, proposals
from faqbot.knowledge.editing.entry_fields import entry_to_fields
from faqbot.knowledge.editing.entry_form import EntryForm, differing
from faqbot.knowledge.editing.revision import Proposal, StaleEdit
from faqbot.knowledge.editing.versions import Field
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.preview import ChangePreview, find_problems, preview_effects
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.text_diff import side_by_side
from faqbot.model.entries import Entry
from faqbot.review.pending_corrections import cancel_correction, plan_correction

_MAX_WORDING_LENGTH = 200
_CHECK_AGAIN = "有人刚才改了这个文件。请再点一次「检查一下」。"
_LOOK_AGAIN = "有人刚才改了这个文件。请再看一遍这一条，确实要删再删。"


def add_routes(app: web.Application) -> None:
    app.router.add_get("/entries/new", new_page)
    app.router.add_post("/entries/new", add)
    app.router.add_get("/entries/{id}/edit", edit_page)
    app.router.add_post("/entries/{id}/edit", change)
    app.router.add_post("/entries/{id}/wordings", add_wording)
    app.router.add_get("/entries/{id}/remove", remove_page)
    app.router.add_post("/entries/{id}/remove", remove)
    app.router.add_post("/preview", preview)


async def new_page(request: web.Request) -> web.StreamResponse:
    """Show the form of a new entry; the query may fill it in, as from an unanswered question."""
    return await _form_page(request, EntryForm.of_fields(request.query))


async def add(request: web.Request) -> web.StreamResponse:
    workspace, fields = workspace_of(request), await read_form(request)
    form = _with_ids(EntryForm.of_fields(fields), workspace.snapshot)
    if fields.get("do") == "fill":
        # Texts too long for a link, as from a pasted document, are posted into the empty form.
        return await _form_page(request, form)
    on_edit_error(
        request,
        refused=lambda reason: _form_page(request, form, problems=[reason], status=422),
        stale=lambda exc: _form_page(request, form, problems=[_CHECK_AGAIN], status=409),
    )
    proposal = await proposals.propose_new(workspace, form)
    effects = await _effects(request, proposal, saving=fields.get("do") == "save")
    if fields.get("do") != "save" or not effects.ok:
        return await _form_page(request, form, effects=effects)
    saved = await workspace.save(person(request), proposal, "add")
    raise redirect(entry_url(saved.id) if saved else TAB, done="saved-draft" if form.draft else "added")


async def edit_page(request: web.Request) -> web.StreamResponse:
    """Show the form with the fields of an entry."""
    entry = find_entry(request)
    notice_on_edit_error(request, "现在不能修改这一条", status=409, back=entry_url(entry.id))
    revision = await workspace_of(request).load(entry)
    form = EntryForm.of_draft(entry_to_fields(revision.entry), file=revision.file, seen=revision.seen)
    return await _form_page(request, form, entry)


async def change(request: web.Request) -> web.StreamResponse:
    workspace, fields = workspace_of(request), await read_form(request)
    await workspace.base.refresh()
    form = _with_ids(EntryForm.of_fields(fields), workspace.snapshot)
    entry = workspace.snapshot.entry(requested_id(request))
    if entry is None:
        # A page that says 404 would lose what the person wrote.
        return await _form_page(request, form, conflict=EditConflict(gone=True), status=409)
    on_edit_error(
        request,
        refused=lambda reason: _form_page(request, form, entry, problems=[reason], status=422),
        stale=lambda exc: _conflict_page(request, form, entry, exc.present),
    )
    proposal = await proposals.propose_change(await workspace.load(entry), form)
    if proposal.is_unchanged:
        raise redirect(entry_url(entry.id), done="unchanged")
    saving = fields.get("do") == "save"
    effects = await _effects(request, proposal, saving=saving)
    offer = await offer_to_tell(context_of(request), entry, form) if fields.get("tell") or not saving else None
    if not saving or not effects.ok:
        return await _form_page(request, form, entry, effects=effects, offer=offer)
    people = offer.reach.people if offer else ()
    saved = await _save_and_tell(workspace, person(request), entry, proposal, people)
    result = "saved-draft" if form.draft else "saved-told" if people else "saved"
    raise redirect(entry_url(saved.id if saved else entry.id), done=result)


async def _effects(request: web.Request, proposal: Proposal, *, saving: bool) -> ChangePreview:
    """Check the proposal: for its errors alone before it is saved, with all that it would change otherwise."""
    context = context_of(request)
    if saving:
        return await find_problems(context.workspace, proposal)
    return await preview_effects(context.workspace, context.past_questions, proposal)


async def _save_and_tell(
    workspace: Workspace, who: str, entry: Entry, proposal: Proposal, people: Sequence[str]
) -> Entry | None:
    """Save the proposal, and have these people told of the correction. Raises StaleEdit, FileSourceError."""
    if not people:
        return await workspace.save(who, proposal, "change")
    # Recorded before the file is written: after a crash in between they are told, or nothing is different.
    planned = await plan_correction(workspace, entry, people)
    try:
        return await workspace.save(who, proposal, "change")
    except (StaleEdit, FileSourceError):
        await cancel_correction(workspace, planned)
        raise


async def _conflict_page(
    request: web.Request, form: EntryForm, entry: Entry, present: bytes | None
) -> web.StreamResponse:
    """Show both versions side by side; the text stays in the form, which from now on knows the new version."""
    workspace = workspace_of(request)
    await workspace.base.refresh()
    try:
        now = await workspace.load(workspace.snapshot.entry(entry.id) or entry, present)
    except EditError as exc:
        return await _form_page(request, form, entry, problems=[str(exc)], status=409)
    in_file = entry_to_fields(now.entry)
    fields = [
        Field(name, *side_by_side(theirs, mine)) for name, theirs, mine in differing(in_file, form.meant(in_file))
    ]
    elsewhere = form.seen.partition("-")[2] == now.seen.partition("-")[2]
    conflict = EditConflict(fields, elsewhere=elsewhere)
    return await _form_page(request, form.at_version(now.seen), entry, conflict=conflict, status=409)


async def add_wording(request: web.Request) -> web.StreamResponse:
    """Add a tried sentence to the wordings of an entry (the button 应该是这一条)."""
    workspace, entry, fields = workspace_of(request), find_entry(request), await read_form(request)
    text = " ".join(fields.get("text", "").split())[:_MAX_WORDING_LENGTH]
    back = entry_url(entry.id)
    other = entry_search.one_by_question(workspace.snapshot, text) if text else None
    if other is not None and other.id != entry.id:
        why = f"「{text}」已经写在「{other.question}」里。两条有同样的问法，机器人分不清，请先到那一条里删掉它。"
        return notice(request, 409, "没有加上", why, back=entry_url(other.id))
    if other is not None:
        raise redirect(back, done="same-wording")
    notice_on_edit_error(request, "没有加上", back=back)
    await _save_wording(workspace, person(request), entry, text)
    raise redirect(f"{back}{'&' if '?' in back else '?'}{_trial_query(text)}", done="wording")


async def _save_wording(workspace: Workspace, who: str, entry: Entry, text: str) -> None:
    proposal = await (await workspace.load(entry)).propose(entry_editor.add_wording, text)
    if not proposal.is_unchanged:
        await workspace.save(who, proposal, "change")


async def remove_page(request: web.Request) -> web.StreamResponse:
    """Ask for confirmation before an entry is removed."""
    workspace, entry = workspace_of(request), find_entry(request)
    notice_on_edit_error(request, "现在不能删除这一条", status=409, back=entry_url(entry.id))
    seen = (await workspace.load(entry)).seen
    naming = [e for e in workspace.snapshot.entries if entry.id in e.related]
    return show(
        request,
        "remove.html",
        title="删除条目",
        tab=TAB,
        entry=entry,
        summary=summary(entry, workspace),
        bubble=bubble_of(entry),
        seen=seen,
        naming=naming,
    )


async def remove(request: web.Request) -> web.StreamResponse:
    workspace, entry, fields = workspace_of(request), find_entry(request), await read_form(request)
    notice_on_edit_error(request, "没有删除", back=entry_url(entry.id), stale_text=_LOOK_AGAIN)
    revision = await workspace.load(entry)
    revision.check_seen(fields.get("seen", ""))
    await workspace.save(person(request), await revision.propose(entry_editor.remove_entry), "remove")
    raise redirect(TAB, done="removed")


async def preview(request: web.Request) -> web.StreamResponse:
    """Return the message bubble of the form as it is now, for the script."""
    fields = await read_form(request)
    snapshot = workspace_of(request).snapshot
    entry = EntryForm.of_fields(fields).preview(snapshot.entry(fields.get("entry", "")), snapshot.facts)
    return fragment("_preview.html", bubble=bubble_of(entry))


def _with_ids(form: EntryForm, snapshot: Snapshot) -> EntryForm:
    """Replace related entries that are named by their question with their ids."""

    def as_id(line: str) -> str:
        if not line.strip() or snapshot.entry(line.strip()):
            return line
        named = entry_search.one_by_question(snapshot, line)
        return named.id if named else line

    return replace(form, related="\n".join(map(as_id, form.related.split("\n"))))


async def _form_page(
    request: web.Request,
    form: EntryForm,
    entry: Entry | None = None,
    *,
    problems: Sequence[str] = (),
    effects: ChangePreview | None = None,
    offer: Offer | None = None,
    conflict: EditConflict | None = None,
    status: int = 200,
) -> web.Response:
    workspace = workspace_of(request)
    entries = workspace.snapshot.entries
    return show(
        request,
        "entry_form.html",
        title="修改条目" if entry else "新条目",
        tab=TAB,
        status=status,
        form=form,
        entry=entry,
        action=entry_url(entry.id, "edit") if entry else "/entries/new",
        back=entry_url(entry.id) if entry else TAB,
        files=proposals.faq_files(await workspace.source.read()),
        topics=[name for name, _ in entry_search.topics(entries)],
        owners=entry_search.owners(entries),
        bubble=bubble_of(form.preview(entry, workspace.snapshot.facts)),
        related=[other for line in form.related.split("\n") if (other := workspace.snapshot.entry(line.strip()))],
        problems=problems,
        effects=effects,
        offer=offer,
        tell_days=DAYS,
        tell_minutes=MINUTES,
        conflict=conflict,
    )


def _trial_query(text: str) -> str:
    return urlencode({"try": text})
