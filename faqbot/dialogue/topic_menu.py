"""What can be asked: the topics, and the questions of one topic. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from faqbot.access.visibility import Allowed
from faqbot.model.decisions import Menu, TopicList
from faqbot.model.entries import NO_TOPIC, Entry
from faqbot.search.index import Index

LIST_AT_MOST = 15


def menu_of(entries: Iterable[Entry]) -> Menu:
    topics: dict[str, list[Entry]] = {}
    for entry in entries:
        topics.setdefault(entry.topic or NO_TOPIC, []).append(entry)
    return Menu(tuple((name, len(found), found[0].question) for name, found in topics.items()))


def topic_list(topic: str, index: Index, allowed: Allowed) -> TopicList:
    found = [e for e in index.entries if (e.topic or NO_TOPIC) == topic and allowed(e)]
    return TopicList(topic, tuple(found[:LIST_AT_MOST]), len(found))
