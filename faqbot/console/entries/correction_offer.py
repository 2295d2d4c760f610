"""After an edit that corrects an answer, offer to notify the people who received the old one."""

from __future__ import annotations

from dataclasses import dataclass

from faqbot.console.web.context import ConsoleContext
from faqbot.dingtalk.api.quota import CALLS, Usage
from faqbot.knowledge.editing.entry_form import EntryForm
from faqbot.language.answer_diff import Correction, correction
from faqbot.model.entries import Entry
from faqbot.review.correction_notices import MERGE_SECONDS
from faqbot.review.pending_corrections import RECIPIENT_DAYS, AnswerRecipients, answer_text, recent_recipients

DAYS = RECIPIENT_DAYS
MINUTES = round(MERGE_SECONDS / 60)


@dataclass(frozen=True, slots=True)
class Offer:
    """A correction, who could be told of it, and the use of the monthly quota. `private`: nobody is on record."""

    correction: Correction
    reach: AnswerRecipients
    usage: Usage
    private: bool = False


async def offer_to_tell(context: ConsoleContext, entry: Entry, form: EntryForm) -> Offer | None:
    """Return the offer; None if the edit corrects nothing that people were told. Raises StoreError."""
    workspace = context.workspace
    # The values of `{facts.…}` are the same before and after.
    edited = form.preview(entry, workspace.snapshot.facts)
    if entry.draft or entry.held or form.draft:
        return None
    corrected = correction(answer_text(entry), answer_text(edited))
    if corrected is None:
        return None
    month = f"{workspace.today():%Y-%m}"
    used = (await workspace.store.counts(f"{month}|{CALLS}")).get(f"{month}|{CALLS}", 0)
    reach = await recent_recipients(workspace, entry.id)
    return Offer(corrected, reach, Usage(used, context.settings.quota_calls), entry.private)
