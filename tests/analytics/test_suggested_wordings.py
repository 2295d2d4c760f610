"""A wording is suggested once different people picked the same entry for the same question."""

from __future__ import annotations

import pytest

from faqbot.analytics.stats import pair_picks
from faqbot.analytics.suggested_wordings import suggestions
from faqbot.language.normalize import normalise
from faqbot.model.entries import Entry
from faqbot.model.question_log import QuestionRecord

ANNUAL = Entry("annual", "年假有几天？", "5 天。", also=("年休假天数",))
SICK = Entry("sick", "病假怎么请？", "发起审批。", not_=("生病",))
SECRET = Entry("secret", "涨薪比例？", "5%。", private=True)
ENTRIES = {e.id: e for e in (ANNUAL, SICK, SECRET)}


def picks(*rows: tuple[str, str, str]) -> list[QuestionRecord]:
    """Who asked what and picked which entry."""
    records: list[QuestionRecord] = []
    for number, (asker, text, entry) in enumerate(rows):
        at = 1000.0 * number
        records.append(QuestionRecord(f"q{number}", at, "cid", asker, text, "offered", "other"))
        if entry:
            records.append(QuestionRecord(f"p{number}", at + 5, "cid", asker, "2", "picked", entry))
    return records


def found(*rows: tuple[str, str, str]) -> list[tuple[str, str, int]]:
    return [(s.text, s.entry.id, s.people) for s in suggestions(pair_picks(picks(*rows)), ENTRIES, normalise)]


def test_two_people_are_enough_and_one_is_not() -> None:
    assert found(("甲", "能休多久", "annual")) == []
    assert found(("甲", "能休多久", "annual"), ("甲", "能休多久", "annual")) == []
    assert found(("甲", "能休多久", "annual"), ("乙", "能休多久？", "annual")) == [("能休多久", "annual", 2)]


def test_a_confirmed_likely_answer_counts_like_a_pick_and_a_refused_one_by_its_pick() -> None:
    def guess(asker: str, rating: str = "", pick: str = "", *, refused: bool = False) -> list[QuestionRecord]:
        record = QuestionRecord(f"q-{asker}", 1000.0, "cid", asker, "能休多久", "likely", "annual", rating=rating)
        after = [("不是", "likely_refused", "")] if refused else []
        after += [("1", "picked", pick)] if pick else []
        others = (
            QuestionRecord(
                f"{outcome}-{asker}", 1005.0 + n, "cid", asker, text, outcome, entry, picked_for=f"q-{asker}"
            )
            for n, (text, outcome, entry) in enumerate(after)
        )
        return [record, *others]

    def suggested(*records: list[QuestionRecord]) -> list[tuple[str, int]]:
        questions = pair_picks([r for several in records for r in several])
        return [(s.entry.id, s.people) for s in suggestions(questions, ENTRIES, normalise)]

    assert suggested(guess("甲", "helpful"), guess("乙", "helpful")) == [("annual", 2)]
    assert suggested(guess("甲"), guess("乙", "unhelpful")) == []
    refused = [guess(who, "helpful", pick="sick", refused=True) for who in "甲乙"]
    assert suggested(*refused) == [("sick", 2)]
    assert suggested(*(guess(who, "helpful", refused=True) for who in "甲乙")) == []


def test_most_people_first() -> None:
    rows = [(who, "能休多久", "annual") for who in "甲乙"] + [(who, "不舒服", "sick") for who in "甲乙丙"]
    assert found(*rows) == [("不舒服", "sick", 3), ("能休多久", "annual", 2)]


@pytest.mark.parametrize(
    "rows",
    [
        [("甲", "能休多久", "annual"), ("乙", "能休多久", "sick")],
        [
            ("甲", "能休多久", "annual"),
            ("乙", "能休多久", "annual"),
            ("丙", "能休多久", "sick"),
            ("丁", "能休多久", "sick"),
        ],
        [("甲", "能休多久", ""), ("乙", "能休多久", "")],
        [("甲", "年休假天数", "annual"), ("乙", "年休假天数", "annual")],
        [("甲", "生病", "annual"), ("乙", "生病", "annual")],
        [("甲", "涨多少", "secret"), ("乙", "涨多少", "secret")],
        [("甲", "能休多久", "gone"), ("乙", "能休多久", "gone")],
        [("甲", "假", "annual"), ("乙", "假", "annual")],
        [("甲", "长" * 200, "annual"), ("乙", "长" * 200, "annual")],
    ],
)
def test_what_is_not_sure_or_there_already_is_not_suggested(rows: list[tuple[str, str, str]]) -> None:
    assert found(*rows) == []


def test_what_somebody_picked_last_is_what_they_meant() -> None:
    records = picks(("甲", "能休多久", "sick"), ("乙", "能休多久", "annual"))
    records.append(QuestionRecord("p9", 20.0, "cid", "甲", "1", "picked", "annual"))
    assert [s.entry.id for s in suggestions(pair_picks(records), ENTRIES, normalise)] == ["annual"]
