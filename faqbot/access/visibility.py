"""Visibility of entries by date, group, topic, department, and, if private, by kind of chat. Pure."""

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
    """Return True if an entry may be answered on `day` in a conversation; None stands for an editor's own view.

    departments: those of the asker with all their parents; none if they are unknown.
    topics: those that the conversation is limited to; none if it is not limited.
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
    """Return a test for the entries that the asker of a message may get as an answer."""
    topics = groups.of(message.conversation_id).topics
    return lambda entry: open_to(entry, day, message.conversation_id, departments, topics)


def listable(message: Message, day: date, departments: Collection[str], groups: Groups) -> Allowed:
    """Return a test for the entries whose question may be shown where a message was written.

    The question of a private entry already says too much in front of colleagues.
    """
    allowed = answerable(message, day, departments, groups)
    return lambda entry: allowed(entry) and not (entry.private and message.is_group)
