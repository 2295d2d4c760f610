"""Verification: what a question and a wording do not share says whether the question is about something else."""

from __future__ import annotations

import numpy as np
import pytest

from faqbot.search.verification import TermVectors, compare
from faqbot.search.weights import VERIFICATION_SIGNALS, fitted_weights

WORDING = "工牌丢了怎么补"


def signals(question: str, document: str = WORDING) -> dict[str, float]:
    (row,) = compare(TermVectors.of(question), [TermVectors.of(WORDING)], [document], [0.0])
    return dict(zip(VERIFICATION_SIGNALS, row.tolist(), strict=True))


def certainty(question: str, document: str = WORDING) -> float:
    """The log-odds that are left of an even chance."""
    return float(np.dot(list(signals(question, document).values()), fitted_weights("han").verification))


@pytest.mark.parametrize("stranger", ["钥匙丢了怎么补", "身份证丢了怎么补", "户口本丢了怎么补"])
def test_a_question_about_another_thing_is_less_sure_than_the_wording(stranger: str) -> None:
    assert certainty(stranger) < certainty("丢了工牌怎么补")
    assert certainty(stranger) < certainty(WORDING)


def test_a_word_that_the_answer_explains_speaks_less_against_the_entry() -> None:
    question = "厂牌丢了怎么补"
    assert certainty(question, f"{WORDING} 厂牌和工牌一样到前台补") > certainty(question)
    assert signals(question, f"{WORDING} 厂牌和工牌一样到前台补")["unexplained"] == 0 < signals(question)["unexplained"]


def test_the_wording_itself_leaves_nothing_over() -> None:
    left = signals(WORDING)
    assert left.pop("one") == 1 and all(abs(value) < 1e-5 for value in left.values())


def test_what_the_wording_has_beyond_the_question_is_lacking() -> None:
    left = signals("工牌丢了")
    assert left["lacking"] > 0.2 and left["rest"] == pytest.approx(0, abs=1e-5) and left["rest_share"] == 0


def test_entries_compared_together_are_compared_as_alone() -> None:
    question, wordings = TermVectors.of("门卡丢了找谁补办"), [TermVectors.of(w) for w in (WORDING, "门禁卡坏了", "")]
    documents, odds = ["工牌 前台", "门卡", ""], [0.3, -1.0, 2.0]
    together = compare(question, wordings, documents, odds)
    for row, wording, document, log_odds in zip(together, wordings, documents, odds, strict=True):
        assert compare(question, [wording], [document], [log_odds])[0] == pytest.approx(row)
