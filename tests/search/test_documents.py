"""Words of answers bring an entry into the list; by themselves they never make it the answer."""

from __future__ import annotations

import numpy as np
import pytest

from faqbot.language.normalize import Synonyms
from faqbot.model.entries import Entry
from faqbot.search.arrays import Doubles
from faqbot.search.documents import DocumentIndex
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

ENTRIES = [
    Entry("injury", "受伤了找谁", "先打安全部电话，送到厂区医务室包扎，当天填工伤报告"),
    Entry("canteen", "食堂几点开门", "早上七点到九点，凭饭卡就餐"),
    Entry("badge", "工牌丢了怎么补", "到前台挂失，交工本费二十元"),
    Entry("pay", "工资几号发", "每月十号，遇节假日提前"),
]
INDEX = Index(ENTRIES)
BARE = Index([Entry(e.id, e.question, "答案") for e in ENTRIES])
DOCUMENTS = DocumentIndex(ENTRIES, [e.question for e in ENTRIES], Synonyms(), 40.0)


def shares(index: DocumentIndex, text: str) -> tuple[Doubles, Doubles]:
    """The score and the covered share of one text with each document."""
    documents = np.arange(index.entry_count)
    return index.compare([text]).of(np.zeros_like(documents), documents)


@pytest.mark.parametrize(("word", "owner"), [("医务室", "injury"), ("挂失", "badge"), ("工本费", "badge")])
def test_a_word_that_stands_only_in_an_answer_finds_the_entry_and_is_not_answered(word: str, owner: str) -> None:
    assert all(c.covered < 0.9 and max(c.score, c.listed) < 0.2 for c in BARE.search(word))
    best = INDEX.search(word)[0]
    assert best.entry.id == owner and best.covered > 0.9
    assert best.score < min(bars.likely_at for bars in FITTED_THRESHOLDS.values())


def test_an_answers_word_beside_words_of_the_wording_covers_more_of_the_question() -> None:
    with_answers, without = INDEX.search("工牌丢了要挂失吗")[0], BARE.search("工牌丢了要挂失吗")[0]
    assert with_answers.entry.id == without.entry.id == "badge"
    assert with_answers.covered > without.covered
    assert INDEX.explain("工牌丢了要挂失吗")[0].features["explained"] == pytest.approx(with_answers.covered, abs=1e-4)


def test_the_entry_whose_answer_has_the_words_scores_highest() -> None:
    scores, covered = shares(DOCUMENTS, "挂失工本费")
    assert scores.argmax() == 2 and covered.argmax() == 2
    scores, covered = shares(DOCUMENTS, "饭卡")
    assert scores.argmax() == 1 and covered.tolist() == pytest.approx([0, 1, 0, 0])
    assert not any(map(np.any, shares(DOCUMENTS, "宇宙")))


def test_without_entries_or_words_nothing_is_covered() -> None:
    assert shares(DocumentIndex([], [], Synonyms(), 40.0), "年假")[0].shape == (0,)
    assert not any(map(np.any, shares(DOCUMENTS, "")))


def test_the_answers_of_all_cases_count() -> None:
    entry = Entry("bus", "班车几点开", "", ask="哪个厂区？", variants={"苏州": "从体育中心发车", "宁波": "南门上车"})
    index = DocumentIndex([entry], [entry.question], Synonyms(), 0.0)
    for text in ("体育中心", "苏州", "南门上车"):
        assert shares(index, text)[1].tolist() == pytest.approx([1]), text
