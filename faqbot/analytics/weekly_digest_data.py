"""Collects the data of the weekly digest: the same gaps, suggestions and drafts as the page 今天 shows."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, tzinfo

from faqbot.analytics.gaps import Gaps, GapState
from faqbot.analytics.stats import Stats
from faqbot.analytics.suggested_wordings import open_suggestions
from faqbot.analytics.weekly_digest import DAYS, OpenWork, weekly_digest
from faqbot.dialogue.choices import OPTIONS_SECONDS
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.review.draft_records import number_drafts


async def digest_of_week(workspace: Workspace, timezone: tzinfo) -> tuple[str, str]:
    """Return title and markdown of the digest of the last seven days. Raises StoreError."""
    now = datetime.fromtimestamp(workspace.clock(), timezone)
    since = now - timedelta(days=DAYS)
    records = await workspace.store.questions(since.timestamp() - OPTIONS_SECONDS)
    entries = {e.id: e for e in workspace.snapshot.entries}
    stats = await asyncio.to_thread(Stats, records, since, now + timedelta(seconds=1), entries)
    missed = [gap.cluster for gap in await Gaps().find(workspace, DAYS) if gap.state is GapState.OPEN]
    waiting = [
        number
        for number, review in (await number_drafts(workspace)).items()
        if review.is_pending(entries.get(review.entry_id))
    ]
    open_work = OpenWork(missed, await open_suggestions(workspace), sorted(waiting))
    return weekly_digest(stats, open_work, workspace.today())
