"""The question that is handed to a person: written with the request, or asked before it, and whom it concerns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from faqbot.access.privacy import withheld_topic
from faqbot.access.visibility import answerable, listable
from faqbot.dialogue.choices import is_pick
from faqbot.handoff.teams import Route, route
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.masking import mask_numbers
from faqbot.language.normalize import normalise
from faqbot.messaging.asker_departments import AskerDepartments
from faqbot.model.entries import Entry, nearest_private
from faqbot.model.messages import Message
from faqbot.model.question_log import RATED, QuestionRecord

# 人工 alone is about a question asked within this time.
LAST_QUESTION_SECONDS = 1800.0
MAX_QUESTION_CHARS = 500
# Outcomes whose entry the bot was sure of, or the asker picked. The first of a list is only one of several.
_WITH_SURE_ENTRY = ("answered", "picked", "likely", "asked_back", "asked_again")


@dataclass(frozen=True, slots=True)
class HandedQuestion:
    """The question to hand over; of a private one that was asked before, the text is withheld.

    entry: the entry whose owner is to be asked, if that is sure.
    owners: else those to pick from.
    """

    text: str
    entry: Entry | None
    private: bool
    owners: tuple[str, ...] = ()


async def question_from_text(
    text: str, message: Message, workspace: Workspace, asker_departments: AskerDepartments, entry_id: str = ""
) -> HandedQuestion:
    """Find out whom a question concerns; `entry_id` is known where the bot answered it. Raises StoreError."""
    snapshot, today = workspace.snapshot, workspace.today()
    departments = await asker_departments.departments(message)
    allowed = answerable(message, today, departments, snapshot.groups)
    listed = listable(message, today, departments, snapshot.groups)
    ranking = snapshot.index.search(text, allowed=lambda entry: entry.private or allowed(entry))
    private = nearest_private(ranking) or _entry_of_private_topic(text, snapshot)
    entry = snapshot.entry(entry_id)
    found = Route(entry) if entry else route(text, snapshot, allowed, listed, workspace.limits(snapshot))
    if private is not None and found.entry is None:
        # A list of teams would show a group what the question is about.
        found = Route(private)
    masked = mask_numbers(text)[:MAX_QUESTION_CHARS]
    return HandedQuestion(masked, found.entry, private is not None, found.owners)


async def question_from_record(
    record: QuestionRecord, message: Message, workspace: Workspace, asker_departments: AskerDepartments
) -> HandedQuestion:
    """Find out whom a question concerns that was asked before. Raises StoreError."""
    if (topic := withheld_topic(record.text)) is not None:
        return HandedQuestion(record.text, _private_entry(topic, workspace.snapshot), private=True)
    entry_id = record.entry_id if record.outcome in _WITH_SURE_ENTRY else ""
    return await question_from_text(record.text, message, workspace, asker_departments, entry_id)


async def last_question(workspace: Workspace, message: Message) -> QuestionRecord | None:
    """Return the last question of the asker in this conversation. Raises StoreError.

    A choice from a list stands for the question before it, a reply to a clarifying question for both together.
    """
    records = await workspace.store.questions(workspace.clock() - LAST_QUESTION_SECONDS)
    # A question from a group that was answered in private may be followed up in the single chat.
    theirs = [
        r
        for r in records
        if r.asker == message.asker
        and (r.conversation_id == message.conversation_id or not message.is_group)
        and r.outcome != RATED
    ]
    if not theirs:
        return None
    last = theirs[-1]
    before = next((r for r in theirs if r.message_id == last.picked_for), None)
    if before is None or withheld_topic(last.text) is not None:
        return last
    is_reply = before.outcome == "asked_back" and not is_pick(last.text)
    return replace(last, text=f"{before.text}（{last.text}）" if is_reply else before.text)


def _entry_of_private_topic(text: str, snapshot: Snapshot) -> Entry | None:
    """Return an entry of the private topic whose name is all that a question says; None for any other question."""
    name = normalise(text)
    return next((e for e in snapshot.entries if e.private and e.topic and normalise(e.topic) == name), None)


def _private_entry(topic: str, snapshot: Snapshot) -> Entry | None:
    return next((entry for entry in snapshot.entries if entry.private and entry.topic == topic), None)
