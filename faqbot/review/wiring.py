"""Names the loops that tell people about drafts, corrections and entries that are due for review."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.outbox.outbox import Outbox
from faqbot.review.correction_notices import tell_of_corrections
from faqbot.review.draft_notices import tell_of_drafts
from faqbot.review.due_reminders import remind_keepers
from faqbot.runtime.background import Loop
from faqbot.settings import Settings


def review_loops(workspace: Workspace, outbox: Outbox, settings: Settings) -> Mapping[str, Loop]:
    admins = settings.admins
    return {
        "review.drafts": partial(tell_of_drafts, workspace, outbox, admins),
        "review.corrections": partial(tell_of_corrections, workspace, outbox),
        "review.due": partial(remind_keepers, workspace, outbox, admins, settings.timezone),
    }
