"""Words decide first; the embedding of a message counts only where they are not sure."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from faqbot.dialogue.answer_policy import is_settled, judge_by_words_first
from faqbot.dialogue.decision_context import DecisionRequest
from faqbot.dialogue.manager import decide_many
from faqbot.model.commands import Command, CommandKind, Interpretation
from faqbot.model.decisions import Answered, AskedBack, MultiAnswer, Offered, Part, PrivateReply, Unanswered
from faqbot.model.entries import Candidate, Entry, FollowUp
from faqbot.model.messages import Message, MessageKind
from faqbot.model.plain_replies import SmallTalk, SmallTalkKind
from faqbot.search.arrays import Floats
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS, Thresholds

CANTEEN, FUND = Entry("canteen", "食堂几点开门？", "七点"), Entry("fund", "公积金怎么提取？", "找人事")
INDEX = Index([CANTEEN, FUND, *(Entry(f"e{n}", f"第 {n} 间会议室怎么预订？", "日历") for n in range(20))])
MEANT = INDEX.with_embeddings(np.eye(len(INDEX.wordings), dtype=np.float32))
LIMITS, TODAY = FITTED_THRESHOLDS["balanced"], date(2026, 6, 1)
NEVER = Thresholds(answer_at=2.0, likely_at=2.0, offer_at=2.0)
ANSWER, LIST = Answered(CANTEEN, 0.9, "食堂几点开门？"), Offered((Candidate(CANTEEN, 0.5, "食堂几点开门？"),))
BACK = AskedBack(CANTEEN, 0.9, "食堂几点开门？", FollowUp("place", "哪里？"))


def towards(entry: Entry) -> Floats:
    """A vector that is that of the entry's only wording."""
    vector = np.zeros(len(INDEX.wordings), dtype=np.float32)
    vector[list(INDEX.wordings).index(entry.question)] = 1
    return vector


@pytest.mark.parametrize(
    ("interpretation", "settled"),
    [
        (ANSWER, True),
        (LIST, False),
        (Unanswered(), False),
        (BACK, True),
        (AskedBack(CANTEEN, 0.9, "", FollowUp("place", "哪里？"), unclear=True), False),
        (PrivateReply(ANSWER), True),
        (PrivateReply(LIST), False),
        (MultiAnswer((Part("食堂", ANSWER), Part("天气", Unanswered()))), True),
        (SmallTalk(SmallTalkKind.THANKS), True),
        (Command(CommandKind.HOTTEST), True),
    ],
)
def test_what_words_leave_open_is_asked_of_the_embedding(interpretation: Interpretation, settled: bool) -> None:
    assert is_settled(interpretation) is settled


def test_a_sure_question_keeps_its_answer_whatever_its_embedding_says() -> None:
    judged = judge_by_words_first(
        "食堂几点开门？", MEANT, limits=LIMITS, limits_by_meaning=LIMITS, today=TODAY, embedding=towards(FUND)
    )
    assert isinstance(judged.decision, Answered) and judged.decision.entry is CANTEEN and judged.embedding is None


def test_an_unsure_question_is_ranked_by_its_embedding() -> None:
    for embedding, limits, first in (
        (None, LIMITS, None),
        (towards(FUND), LIMITS, "fund"),
        (towards(FUND), None, None),
    ):
        judged = judge_by_words_first(
            "qqqq", MEANT, limits=LIMITS, limits_by_meaning=limits, today=TODAY, embedding=embedding
        )
        assert (judged.ranking[0].entry.id if judged.ranking else None) == first
        assert (judged.embedding is None) == (first is None)


def test_messages_with_an_embedding_have_thresholds_of_their_own() -> None:
    """The same message, twice in one batch: by words it is sure enough, by its embedding nothing ever is."""
    message = Message("m", "robot", "cid", True, MessageKind.TEXT, "食堂几点开门啊", staff_id="u1")
    requests = [DecisionRequest(message), DecisionRequest(message, embedding=towards(CANTEEN))]
    by_words, by_meaning = decide_many(requests, MEANT, limits=LIMITS, now=0.0, today=TODAY, limits_by_meaning=NEVER)
    assert isinstance(by_words, Answered) and isinstance(by_meaning, Unanswered)
