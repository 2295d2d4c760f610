"""Postpone notices to a group until its quiet hours are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.model.notices import Address
from faqbot.rules.working_hours import after_quiet_hours


@dataclass(frozen=True, slots=True)
class GroupQuietHours:
    """Takes the quiet hours from the knowledge that is live when a notice is posted."""

    knowledge: KnowledgeBase
    timezone: tzinfo

    def postpone(self, to: Address, due: float) -> float:
        """Return `due` (epoch seconds), or the end of the quiet hours of the group that it falls into."""
        if to.kind != "group":
            return due
        moment = datetime.fromtimestamp(due, self.timezone)
        return max(due, after_quiet_hours(moment, self.knowledge.current.groups.of(to.id).quiet).timestamp())
