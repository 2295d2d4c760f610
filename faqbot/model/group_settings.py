"""Settings from `groups.yaml`: userIds of the owners of entries, and settings of each conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from datetime import time

from faqbot.model.entries import Entry

# A userId is set by machines or administrators, often a staff number; two letters such as HR name a department.
_USERID = re.compile(r"(?=.*[a-z0-9])[A-Za-z0-9][\w.@-]{2,63}|[A-Za-z]?[0-9]|[0-9][A-Za-z0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """A time of day from `start` up to, not including, `end`; an `end` before `start` is on the next day."""

    start: time
    end: time

    def cover(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Settings of one conversation.

    topics: those it is limited to; empty for all.
    greeting: how the bot greets it.
    contact: whom to turn to, a name or a userId.
    quiet: when no notices are sent to it.
    """

    topics: tuple[str, ...] = ()
    greeting: str = ""
    contact: str = ""
    quiet: Hours | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """All settings of `groups.yaml`.

    people: the userIds behind each owner's name.
    conversations: the settings by conversation id.
    direct: owners in entries that are userIds themselves.
    """

    people: MappingABC[str, tuple[str, ...]] = field(default_factory=dict)
    conversations: MappingABC[str, GroupSettings] = field(default_factory=dict)
    direct: frozenset[str] = frozenset()

    def owner_userids(self, owner: str) -> tuple[str, ...]:
        """Return the userIds behind the name of an owner or a contact; none if it is not known."""
        owner = owner.strip()
        if owner in self.people:
            return self.people[owner]
        return (owner,) if looks_like_userid(owner) else ()

    def of(self, conversation_id: str) -> GroupSettings:
        return self.conversations.get(conversation_id, GroupSettings())

    def is_owner(self, userid: str) -> bool:
        """Return True if the person owns any entry."""
        return bool(userid) and (userid in self.direct or any(userid in userids for userids in self.people.values()))

    def owns(self, userid: str, entry: Entry) -> bool:
        """Return True if the person is an owner of the entry."""
        return bool(userid) and userid in self.owner_userids(entry.owner)


NO_GROUPS = Groups()


def looks_like_userid(text: str) -> bool:
    return _USERID.fullmatch(text) is not None
