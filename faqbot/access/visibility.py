"""Who may see which entry, where and when. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from faqbot.model.entries import NO_TOPIC, Entry
from faqbot.model.group_settings import Groups
from faqbot.model.messages import Message

Allowed = Callable[[Entry], bool]


def open_to(
    entry: Entry,
    day: date,
    conversation_id: str | None,
    departments: Collection[str] = (),
    topics: Collection[str] = (),
) -> bool:
    """Whether an entry may be answered on `day` in this conversation; None stands for the keeper's own view.

    `departments` are those of the asker with all that they belong to, none where they are not known. `topics` are those
    the conversation is for; it is for all where there are none.
    """
    if entry.draft or entry.held or not entry.valid.covers(day):
        return False
    if conversation_id is None:
        return True
    if topics and (entry.topic or NO_TOPIC) not in topics:
        return False
    if entry.departments and not any(department in departments for department in entry.departments):
        return False
    return not entry.groups or conversation_id in entry.groups


def answerable(message: Message, day: date, departments: Collection[str], groups: Groups) -> Allowed:
    """What the asker of this message may get an answer to."""
    topics = groups.of(message.conversation_id).topics
    return lambda entry: open_to(entry, day, message.conversation_id, departments, topics)


def listable(message: Message, day: date, departments: Collection[str], groups: Groups) -> Allowed:
    """What may be named to the asker where the message was written.

    Lists show the question, which already says too much of a private one in front of colleagues.
    """
    allowed = answerable(message, day, departments, groups)
    return lambda entry: allowed(entry) and not (entry.private and message.is_group)
