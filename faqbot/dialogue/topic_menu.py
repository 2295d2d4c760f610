"""Topic menu: list the topics that can be asked about, and the questions of one topic. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from faqbot.access.visibility import Allowed
from faqbot.model.entries import NO_TOPIC, Entry
from faqbot.model.plain_replies import Menu, TopicList
from faqbot.search.index import Index

MAX_LISTED = 15


def build_menu(entries: Iterable[Entry], *, unspecific: bool = False) -> Menu:
    """List the topics of the entries, in the order in which they first occur; `unspecific` as for Menu."""
    by_topic: dict[str, list[Entry]] = {}
    for entry in entries:
        by_topic.setdefault(entry.topic or NO_TOPIC, []).append(entry)
    return Menu(tuple((topic, len(members), members[0].question) for topic, members in by_topic.items()), unspecific)


def list_topic(topic: str, index: Index, allowed: Allowed) -> TopicList:
    """List the questions of one topic, at most MAX_LISTED of them."""
    entries = [e for e in index.entries if (e.topic or NO_TOPIC) == topic and allowed(e)]
    return TopicList(topic, tuple(entries[:MAX_LISTED]), len(entries))
