"""The live knowledge, where its files and records lie, and what is done to them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from faqbot.knowledge.editing.changes import EditableSource
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.knowledge.snapshot import Snapshot
from faqbot.search.arrays import Floats
from faqbot.search.thresholds import Thresholds
from faqbot.settings import Settings
from faqbot.store.protocol import Store

if TYPE_CHECKING:
    from faqbot.knowledge.impact.past_questions import PastQuestions


def _past_questions() -> PastQuestions:
    # past.py works with the Office.
    from faqbot.knowledge.impact.past_questions import PastQuestions

    return PastQuestions()


async def _no_meaning(text: str) -> Floats | None:
    return None


@dataclass(frozen=True, slots=True)
class Workspace:
    """The knowledge, where its files and the records lie, what was set, and what day it is."""

    library: KnowledgeBase
    shelf: EditableSource
    store: Store
    settings: Settings
    today: Callable[[], date]
    clock: Callable[[], float] = time.time
    past: PastQuestions = field(default_factory=lambda: _past_questions())
    meaning: Callable[[str], Awaitable[Floats | None]] = _no_meaning

    @property
    def snapshot(self) -> Snapshot:
        """The knowledge that is live now; take it once for a page."""
        return self.library.current

    def limits(self, snapshot: Snapshot) -> Thresholds:
        """How sure the bot must be with this knowledge."""
        return self.library.limits_for(snapshot)

    def file_name(self, shown: str) -> str:
        """The name on the shelf of a file as a Place shows it."""
        return shown.removeprefix(f"{self.shelf.label}/")
