"""The texts of `ask --explain` and `evaluate` say what is only likely, and what differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from faqbot.analytics.evaluation import Expected, evaluate, summary
from faqbot.cli.questions import _explanation, _print_evaluation
from faqbot.dialogue.answer_policy import explain
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Entry
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds

TODAY = date(2026, 6, 1)
INDEX = Index((Entry("hotel", "出差住宿标准是多少？", "500 元。"), Entry("meals", "餐补什么时候发？", "10 日。")))
GUESSING = Thresholds(answer_at=1.1, likely_at=0.02, offer_at=0.01)


def test_an_explanation_names_the_decision_and_each_difference() -> None:
    (result,) = evaluate([Expected("住宿的标准", None)], INDEX, limits=GUESSING, today=TODAY)
    explanations = explain("住宿的标准", result.candidates, INDEX, today=TODAY)
    assert "—— 判断：可能的答案；" in _explanation(result, explanations)
    differs = (Difference(DifferenceKind.UNIT, "500美元", "500元"), Difference(DifferenceKind.CONDITION, "实习生"))
    first = replace(result.candidates[0], differs=differs)
    text = _explanation(replace(result, candidates=(first, *result.candidates[1:])), explanations)
    assert (
        "   不一样的地方：您问 500 美元，这一条说的是 500 元\n   不一样的地方：您说的「实习生」，这一条没有说到" in text
    )


def test_the_table_counts_likely_answers_and_lists_the_wrong_ones(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [Expected("住宿的标准", "hotel"), Expected("住宿的标准", "meals"), Expected("住宿的标准", None)]
    results = evaluate(asked, INDEX, limits=GUESSING, today=TODAY)
    _print_evaluation(summary(results), results)
    text = capsys.readouterr().out
    assert "可能的答案对 / 错" in text and "1 / 2" in text and "0.0% / 100.0%" in text
    assert text.count("可能的答案  住宿的标准  应为") == 2
