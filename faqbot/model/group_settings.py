"""What `groups.yaml` says: who keeps what, and what is special about a conversation."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from datetime import time

from faqbot.model.entries import Entry

# A userId is written by machines or by administrators, often a staff number; two letters such as HR are somebody's
# department.
_USERID = re.compile(r"(?=.*[a-z0-9])[A-Za-z0-9][\w.@-]{2,63}|[A-Za-z]?[0-9]|[0-9][A-Za-z0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """A time of day from `start` up to, not including, `end`; an end before the start is the next morning's."""

    start: time
    end: time

    def cover(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """One conversation: the topics it is for (empty: all), how it is greeted, whom to turn to, when to be quiet."""

    topics: tuple[str, ...] = ()
    greeting: str = ""
    contact: str = ""
    quiet: Hours | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """What `groups.yaml` says. `direct` are owners that are userIds themselves, as entries name them."""

    people: MappingABC[str, tuple[str, ...]] = field(default_factory=dict)
    conversations: MappingABC[str, GroupSettings] = field(default_factory=dict)
    direct: frozenset[str] = frozenset()

    def keepers(self, owner: str) -> tuple[str, ...]:
        """The userIds behind an owner's name, or behind a contact's; none where nobody is known."""
        owner = owner.strip()
        if owner in self.people:
            return self.people[owner]
        return (owner,) if looks_like_userid(owner) else ()

    def of(self, conversation_id: str) -> GroupSettings:
        return self.conversations.get(conversation_id, GroupSettings())

    def is_keeper(self, userid: str) -> bool:
        """Whether the person keeps anything at all."""
        return bool(userid) and (userid in self.direct or any(userid in found for found in self.people.values()))

    def owns(self, userid: str, entry: Entry) -> bool:
        """Whether the person is one of those who keep this entry right."""
        return bool(userid) and userid in self.keepers(entry.owner)


NO_GROUPS = Groups()


def looks_like_userid(text: str) -> bool:
    return _USERID.fullmatch(text) is not None
