"""问答, for writing: the form of an entry, checking and saving it, adding a wording, removing an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from aiohttp import web

from faqbot.console.entries.browse import TAB, bubble_of, find_entry, summary
from faqbot.console.entries.correction_offer import DAYS, MINUTES, Offer, offer_to_tell
from faqbot.console.web.context import context_of, workspace_of
from faqbot.console.web.pages import asked_id, entry_url, fragment, notice, person, read_form, redirect, show
from faqbot.errors import EditError, FileSourceError
from faqbot.knowledge import entry_search
from faqbot.knowledge.editing import entry_editor, proposals
from faqbot.knowledge.editing.entry_fields import draft_of
from faqbot.knowledge.editing.entry_form import EntryForm, differing
from faqbot.knowledge.editing.revision import Proposal, StaleEdit
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.preview import Effects, find_problems, preview_effects
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.text_diff import Piece, side_by_side
from faqbot.model.entries import Entry
from faqbot.review.pending_corrections import cancel_correction, plan_correction

_LONGEST_WORDING = 200


def add_routes(app: web.Application) -> None:
    app.router.add_get("/entries/new", new_page)
    app.router.add_post("/entries/new", add)
    app.router.add_get("/entries/{id}/edit", edit_page)
    app.router.add_post("/entries/{id}/edit", change)
    app.router.add_post("/entries/{id}/wordings", add_wording)
    app.router.add_get("/entries/{id}/remove", remove_page)
    app.router.add_post("/entries/{id}/remove", remove)
    app.router.add_post("/preview", preview)


@dataclass(frozen=True, slots=True)
class EditConflict:
    """The file changed while somebody was writing: the fields that differ, theirs and what is in the file now.
    `elsewhere` says that another part of the file was changed, `gone` that the entry is not there any more."""

    fields: Sequence[tuple[str, Sequence[Piece], Sequence[Piece]]] = ()
    elsewhere: bool = False
    gone: bool = False


async def new_page(request: web.Request) -> web.StreamResponse:
    """An empty form; the query may fill it in, as from a question nobody answered."""
    return await _form_page(request, EntryForm.of_fields(request.query))


async def add(request: web.Request) -> web.StreamResponse:
    workspace, fields = workspace_of(request), await read_form(request)
    form = _with_ids(EntryForm.of_fields(fields), workspace.snapshot)
    if fields.get("do") == "fill":
        # Texts too long for a link, as from a pasted document, are posted into the empty form.
        return await _form_page(request, form)
    try:
        proposal = await proposals.propose_new(workspace, form)
        effects = await _effects(request, proposal, saving=fields.get("do") == "save")
        if fields.get("do") != "save" or not effects.ok:
            return await _form_page(request, form, effects=effects)
        saved = await workspace.save(person(), proposal, "add")
    except StaleEdit:
        return await _form_page(request, form, problems=["有人刚才改了这个文件。请再点一次「检查一下」。"], status=409)
    except (EditError, FileSourceError) as exc:
        return await _form_page(request, form, problems=[str(exc)], status=422)
    raise redirect(entry_url(saved.id) if saved else TAB, done="saved-draft" if form.draft else "added")


async def edit_page(request: web.Request) -> web.StreamResponse:
    """The form with what stands in the file."""
    entry = find_entry(request)
    try:
        loaded = await workspace_of(request).load(entry)
        form = EntryForm.of_draft(draft_of(loaded.entry), file=loaded.file, seen=loaded.seen)
    except EditError as exc:
        return notice(request, 409, "现在不能修改这一条", str(exc), back=entry_url(entry.id))
    return await _form_page(request, form, entry)


async def change(request: web.Request) -> web.StreamResponse:
    workspace, fields = workspace_of(request), await read_form(request)
    await workspace.base.refresh()
    form = _with_ids(EntryForm.of_fields(fields), workspace.snapshot)
    entry = workspace.snapshot.entry(asked_id(request))
    if entry is None:
        # What the person wrote is worth more than a page that says 404.
        return await _form_page(request, form, rivalry=EditConflict(gone=True), status=409)
    try:
        proposal = await proposals.propose_change(await workspace.load(entry), form)
        if proposal.is_unchanged:
            raise redirect(entry_url(entry.id), done="unchanged")
        saving_it = fields.get("do") == "save"
        effects = await _effects(request, proposal, saving=saving_it)
        offer = await offer_to_tell(context_of(request), entry, form) if fields.get("tell") or not saving_it else None
        if not saving_it or not effects.ok:
            return await _form_page(request, form, entry, effects=effects, offer=offer)
        told = offer.reach.people if offer else ()
        saved = await _save_and_tell(workspace, entry, proposal, told)
    except StaleEdit as exc:
        return await _overtaken(request, form, entry, exc.present)
    except (EditError, FileSourceError) as exc:
        return await _form_page(request, form, entry, problems=[str(exc)], status=422)
    done = "saved-draft" if form.draft else "saved-told" if told else "saved"
    raise redirect(entry_url(saved.id if saved else entry.id), done=done)


async def _effects(request: web.Request, proposal: Proposal, *, saving: bool) -> Effects:
    """Check the proposal: for its errors alone before it is saved, with all that it would change otherwise."""
    context = context_of(request)
    if saving:
        return await find_problems(context.workspace, proposal)
    return await preview_effects(context.workspace, context.past_questions, proposal)


async def _save_and_tell(workspace: Workspace, entry: Entry, proposal: Proposal, people: Sequence[str]) -> Entry | None:
    """Save, and have those people told of the correction. Raises Overtaken, ShelfError."""
    if not people:
        return await workspace.save(person(), proposal, "change")
    # Noted before the file is written: after a crash in between they are told, or nothing is different.
    planned = await plan_correction(workspace, entry, people)
    try:
        return await workspace.save(person(), proposal, "change")
    except (StaleEdit, FileSourceError):
        await cancel_correction(workspace, planned)
        raise


async def _overtaken(request: web.Request, form: EntryForm, entry: Entry, present: bytes | None) -> web.StreamResponse:
    """Both versions side by side; the text stays in the form, which from now on knows the new version."""
    workspace = workspace_of(request)
    await workspace.base.refresh()
    try:
        now = await workspace.load(workspace.snapshot.entry(entry.id) or entry, present)
    except EditError as exc:
        return await _form_page(request, form, entry, problems=[str(exc)], status=409)
    written = draft_of(now.entry)
    fields = [(name, *side_by_side(theirs, mine)) for name, theirs, mine in differing(written, form.meant(written))]
    elsewhere = form.seen.partition("-")[2] == now.seen.partition("-")[2]
    return await _form_page(
        request, form.at_version(now.seen), entry, rivalry=EditConflict(fields, elsewhere=elsewhere), status=409
    )


async def add_wording(request: web.Request) -> web.StreamResponse:
    """「应该是这一条」: a sentence becomes one more wording of an entry."""
    workspace, entry, fields = workspace_of(request), find_entry(request), await read_form(request)
    text = " ".join(fields.get("text", "").split())[:_LONGEST_WORDING]
    back = entry_url(entry.id)
    other = entry_search.one_by_question(workspace.snapshot, text) if text else None
    if other is not None and other.id != entry.id:
        why = f"「{text}」已经写在「{other.question}」里。两条有同样的问法，机器人分不清，请先到那一条里删掉它。"
        return notice(request, 409, "没有加上", why, back=entry_url(other.id))
    if other is not None:
        raise redirect(back, done="same-wording")
    try:
        await _save_wording(workspace, person(), entry, text)
    except StaleEdit:
        return notice(request, 409, "没有加上", "有人刚才改了这个文件，请再试一次。", back=back)
    except (EditError, FileSourceError) as exc:
        return notice(request, 422, "没有加上", str(exc), back=back)
    raise redirect(f"{back}{'&' if '?' in back else '?'}{_tried(text)}", done="wording")


async def _save_wording(workspace: Workspace, who: str, entry: Entry, text: str) -> None:
    proposal = await (await workspace.load(entry)).propose(entry_editor.add_wording, text)
    if not proposal.is_unchanged:
        await workspace.save(who, proposal, "change")


async def remove_page(request: web.Request) -> web.StreamResponse:
    """Ask once more before an entry goes."""
    workspace, entry = workspace_of(request), find_entry(request)
    try:
        loaded = await workspace.load(entry)
        seen = loaded.seen
    except EditError as exc:
        return notice(request, 409, "现在不能删除这一条", str(exc), back=entry_url(entry.id))
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
    try:
        revision = await workspace.load(entry)
        revision.check_seen(fields.get("seen", ""))
        await workspace.save(person(), await revision.propose(entry_editor.remove_entry), "remove")
    except StaleEdit:
        text = "有人刚才改了这个文件。请再看一遍这一条，确实要删再删。"
        return notice(request, 409, "没有删除", text, back=entry_url(entry.id))
    except (EditError, FileSourceError) as exc:
        return notice(request, 422, "没有删除", str(exc), back=entry_url(entry.id))
    raise redirect(TAB, done="removed")


async def preview(request: web.Request) -> web.StreamResponse:
    """The bubble of what is being written, for the script."""
    fields = await read_form(request)
    snapshot = workspace_of(request).snapshot
    shown = EntryForm.of_fields(fields).preview(snapshot.entry(fields.get("entry", "")), snapshot.facts)
    return fragment("_preview.html", bubble=bubble_of(shown))


def _with_ids(form: EntryForm, snapshot: Snapshot) -> EntryForm:
    """The form with ids for what is named by its question among the related entries."""

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
    effects: Effects | None = None,
    offer: Offer | None = None,
    rivalry: EditConflict | None = None,
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
        rivalry=rivalry,
    )


def _tried(text: str) -> str:
    return urlencode({"try": text})
