"""The knowledge that is shipped: complete, free of problems, and good enough to find what colleagues ask."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from faqbot.analytics.evaluation import evaluate, read_questions, summary
from faqbot.dialogue.answer_policy import judge
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.model.decisions import Answered
from faqbot.search.thresholds import FITTED_THRESHOLDS, learn
from tests.conftest import SAMPLE

QUESTIONS = Path(__file__).with_name("questions.jsonl")
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return build_snapshot(FolderSource(SAMPLE).read_now(), label="knowledge", today=TODAY)


def test_it_is_large_enough_and_every_entry_has_several_wordings(snapshot: Snapshot) -> None:
    assert len(snapshot.entries) >= 80
    assert len({e.place.file for e in snapshot.entries}) >= 8
    assert all(len(e.also) >= 3 for e in snapshot.entries)
    assert snapshot.synonyms and snapshot.facts


def test_it_has_no_problem(snapshot: Snapshot) -> None:
    assert snapshot.problems == ()


def test_every_wording_finds_its_own_entry(snapshot: Snapshot) -> None:
    missed = []
    for entry in snapshot.index.entries:
        for wording in entry.wordings:
            decision, _ = judge(wording, snapshot.index, limits=FITTED_THRESHOLDS["strict"], today=TODAY)
            if not (isinstance(decision, Answered) and decision.entry is entry):
                missed.append((entry.id, wording))
    assert missed == []


def test_the_questions_of_colleagues_are_many_and_never_an_entrys_own_words(snapshot: Snapshot) -> None:
    questions = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    written = {w for e in snapshot.entries for w in e.wordings}
    assert len(questions) >= 150
    assert not [q["q"] for q in questions if q["q"] in written]


def test_what_colleagues_ask_is_found_and_what_is_answered_outright_is_right(snapshot: Snapshot) -> None:
    questions = read_questions(str(QUESTIONS), QUESTIONS.read_bytes())
    limits = learn(snapshot.index, "balanced")
    found = summary(evaluate(questions, snapshot.index, limits=limits, today=TODAY))
    assert found["top1"] >= 0.80 and found["top3"] >= 0.90
    assert found["answered_rightly"] >= 145
    assert found["precision"] >= 0.97 and found["strangers_answered"] <= 0.02
    assert found["likely_rightly"] >= found["likely_wrongly"] * 4
    in_scope = found["with_answer"]
    reached = found["answered_rightly"] + found["likely_rightly"] + found["offered_with_the_right_one"]
    assert reached >= 0.88 * in_scope


def test_the_question_of_the_first_screen_is_answered(snapshot: Snapshot) -> None:
    decision, _ = judge("年假几天", snapshot.index, limits=FITTED_THRESHOLDS["strict"], today=TODAY)
    assert isinstance(decision, Answered) and decision.entry.id == "annual-leave-days"
