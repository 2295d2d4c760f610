"""Drafts made of the answers of people say what in them may not be for everybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faqbot.model.entries import Entry
from faqbot.review.draft_notices import drafts_message
from faqbot.review.draft_records import DraftReview, Reviewer
from faqbot.review.personal_details import details_remark

DRAFT = Entry("ticket-3", "餐补有多少？", "每天 30 元，找张三领。", draft=True)


@pytest.mark.parametrize(
    ("entry", "remark"),
    [
        (DRAFT, "里面有「30 元」「张三」，请确认所有人都能看"),
        (replace(DRAFT, answer="刷工牌就行。"), ""),
        (replace(DRAFT, id="meals"), ""),
        (replace(DRAFT, draft=False), ""),
        (replace(DRAFT, answer="1 元，2 元，3 元，4 元，5 元，6 元"),
        "里面有「1 元」「2 元」「3 元」「4 元」「5 元」等，请确认所有人都能看"),
    ],
)  # fmt: skip
def test_only_drafts_from_answers_have_the_remark(entry, remark):
    assert details_remark(entry) == remark


def test_the_notice_of_the_draft_shows_it():
    review = DraftReview(4, DRAFT.id, "v")
    assert "「30 元」「张三」" in drafts_message([(review, DRAFT, Reviewer("张主管"))])
