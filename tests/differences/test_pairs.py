"""Decisive differences are found and keep an entry from being answered; another name for the same is no difference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from rapidfuzz import fuzz

from faqbot.dialogue.answer_policy import judge_many
from faqbot.differences.finder import DifferenceFinder
from faqbot.language.normalize import Synonyms
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.decisions import Answered, Decision, Likely
from faqbot.model.differences import Difference
from faqbot.model.entries import Candidate
from faqbot.search.thresholds import learn
from tests.differences.pairs import FOLDERS, TODAY, Pair, snapshot, tables

REFUSE = [pair for table in tables() for pair in table.refuse]
ACCEPT = [pair for table in tables() for pair in table.accept]

Judged = tuple[Decision, Sequence[Candidate]]


@cache
def finder(base: str) -> DifferenceFinder:
    known = snapshot(base)
    return DifferenceFinder(known.index.entries, Synonyms((*known.synonyms, *builtin_synonyms().groups)))


@cache
def judged(base: str) -> dict[str, Judged]:
    """What the bot decides on each question about this knowledge base, judged together."""
    index = snapshot(base).index
    questions = [pair.question for pair in (*REFUSE, *ACCEPT) if pair.base == base]
    return dict(zip(questions, judge_many(questions, index, limits=learn(index, "balanced"), today=TODAY), strict=True))


def differences(pair: Pair) -> tuple[Difference, ...]:
    """List the differences to the wording that the search matched, or to the most similar one where it ranked none."""
    _, ranking = judged(pair.base)[pair.question]
    matched = next((c.question for c in ranking if c.entry.id == pair.entry_id), None)
    nearest = max(pair.entry.wordings, key=lambda wording: fuzz.ratio(wording, pair.question))
    found = finder(pair.base)
    return found.differences(found.read(pair.question), matched or nearest, pair.entry)


@pytest.mark.parametrize("pair", REFUSE, ids=str)
def test_a_decisive_difference_is_found_and_called_by_its_kind(pair: Pair) -> None:
    assert {found.kind for found in differences(pair)} & set(pair.kinds)


@pytest.mark.parametrize("pair", ACCEPT, ids=str)
def test_another_name_for_the_same_thing_is_no_difference(pair: Pair) -> None:
    assert differences(pair) == ()


@pytest.mark.parametrize("base", FOLDERS)
def test_no_entry_is_answered_to_a_question_that_differs_from_it(base: str) -> None:
    decisions = [(pair, judged(base)[pair.question][0]) for pair in REFUSE if pair.base == base]
    assert [str(pair) for pair, decision in decisions if answers(decision, pair)] == []


def answers(decision: Decision, pair: Pair) -> bool:
    return isinstance(decision, Answered | Likely) and decision.entry.id == pair.entry_id
