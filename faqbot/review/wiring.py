"""Builds the background loops that send notices about drafts, corrections and due entries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.outbox.outbox import Outbox
from faqbot.review.correction_notices import run_correction_notices
from faqbot.review.draft_notices import run_draft_notices
from faqbot.review.due_reminders import run_due_reminders
from faqbot.runtime.background import Loop
from faqbot.settings import Settings


def review_loops(workspace: Workspace, outbox: Outbox, settings: Settings) -> Mapping[str, Loop]:
    admins = settings.admins
    return {
        "review.drafts": partial(run_draft_notices, workspace, outbox, admins),
        "review.corrections": partial(run_correction_notices, workspace, outbox),
        "review.due": partial(run_due_reminders, workspace, outbox, admins, settings.timezone),
    }
