"""Questions whose right entry is known: reading them, judging them, counting what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from faqbot.analytics.evaluation import (
    EvaluationError,
    Expected,
    Result,
    decision_name,
    evaluate,
    read_questions,
    summary,
)
from faqbot.model.decisions import Answered, Decision, Likely, Offered, Unanswered
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Candidate, Entry, Period
from faqbot.model.plain_replies import Menu, OutOfList, SmallTalk, SmallTalkKind, TopicList
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS
from tests.conftest import KNOWLEDGE

TODAY = date(2026, 11, 22)
LEAVE = Entry("leave", "年假有几天", "5 天", also=("一年能休多少天年假",))
LUNCH = Entry("lunch", "食堂几点开门", "11 点", also=("午饭在哪里吃",))
FUND = Entry("fund", "公积金怎么提取", "在 App 里", also=("租房能提公积金吗",))
INDEX = Index([LEAVE, LUNCH, FUND])


# — Reading —

TWO = [Expected("年假几天", "leave"), Expected("宇宙有多大", None)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.jsonl", '{"q": "年假几天", "id": "leave"}\n{"q": "宇宙有多大", "id": null}\n'),
        ("q.jsonl", '{"q": "年假几天", "id": "leave", "kind": "casual"}\r\n\r\n{"q": "宇宙有多大", "id": ""}'),
        ("q.jsonl", '{"question": "年假几天", "expected": "leave"}\n{"question": "宇宙有多大"}'),
        ("q.txt", '{"q": "年假几天", "id": "leave"}\n{"q": "宇宙有多大", "id": "  "}\n'),
        ("q.csv", "q,id\n年假几天,leave\n宇宙有多大,\n"),
        ("q.csv", "question,expected\r\n年假几天,leave\r\n宇宙有多大,\r\n"),
        ("q.csv", "问题,编号\n年假几天,leave\n宇宙有多大,\n"),
        ("q.csv", "备注,问,条目\n常问,年假几天,leave\n,宇宙有多大\n"),
        ("Q.CSV", 'q,id\n"年假几天",leave\n宇宙有多大,""\n'),
        ("q.yaml", "- {q: 年假几天, id: leave}\n- {q: 宇宙有多大, id: null}\n"),
        ("q.yml", "- 问题: 年假几天\n  编号: leave\n- 问题: 宇宙有多大\n  编号: ''\n"),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
def test_questions_are_read_from_each_kind_of_file(name: str, text: str, mark: str) -> None:
    assert read_questions(name, (mark + text).encode()) == TWO


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.jsonl", '{"q": "请假", "id": "leave", "alt": ["lunch", "fund"]}'),
        ("q.yaml", "- q: 请假\n  id: leave\n  alt: [lunch, fund]\n"),
    ],
)
def test_entries_that_are_equally_right_are_read(name: str, text: str) -> None:
    assert read_questions(name, text.encode()) == [Expected("请假", "leave", ("lunch", "fund"))]


def test_numbers_are_read_as_they_are_written() -> None:
    assert read_questions("q.yaml", b"- {q: 996, id: 12}") == [Expected("996", "12")]
    assert read_questions("q.jsonl", b'{"q": 996, "id": 0}') == [Expected("996", "0")]
    assert read_questions("q.yaml", b"- {q: 9:30, id: 0571}\n- {q: yes, id: no}\n- {q: 2026-13-45, id: ~}") == [
        Expected("9:30", "0571"),
        Expected("yes", "no"),
        Expected("2026-13-45", None),
    ]


def test_a_file_of_no_questions_is_no_error() -> None:
    assert read_questions("q.jsonl", b"\n\n") == [] == read_questions("q.csv", b"q,id\n")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("q.jsonl", '{"q": "a"}\n\n{"q": ', "q.jsonl:3 "),
        ("q.jsonl", "年假几天\n", "q.jsonl:1 "),
        ("q.jsonl", '{"q": "a"}\n["a", "b"]\n', "q.jsonl:2 "),
        ("q.jsonl", '{"q": "a"}\n{"id": "leave"}\n', "q.jsonl:2 "),
        ("q.jsonl", '{"q": null, "id": "leave"}\n', "q.jsonl:1 "),
        ("q.csv", "id,q\nleave,a\nlunch\n", "q.csv:3 "),
        ("q.csv", "text,id\na,leave\n", "q.csv:1 "),
        ("q.csv", "年假几天,leave\n", "q.csv:1 "),
        ("q.yaml", "- {q: a, id: leave}\n- {q: a\n  : : }\n", "q.yaml:3 "),
        ("q.yaml", "- {q: a}\n- {id: leave}\n", "q.yaml 第 2 项 "),
        ("q.yaml", "- 年假几天\n", "q.yaml 第 1 项 "),
        ("dir/q.yaml", "q: a\nid: leave\n", "dir/q.yaml "),
    ],
)
def test_what_cannot_be_read_is_named_with_file_and_line(name: str, text: str, place: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        read_questions(name, text.encode())
    assert str(caught.value).startswith(place)


def test_a_file_in_another_encoding_is_named() -> None:
    with pytest.raises(EvaluationError, match=r"q\.csv.*UTF-8"):
        read_questions("q.csv", "问题,编号\n年假几天,leave\n".encode("gbk"))


# — Judging —


def candidate(entry: Entry, score: float = 0.9) -> Candidate:
    return Candidate(entry, score, entry.question)


def answered(entry: Entry) -> Answered:
    return Answered(entry, 0.9, entry.question)


def likely(entry: Entry) -> Likely:
    return Likely(entry, 0.6, entry.question)


def result(
    wanted: str | None, decision: Decision, *candidates: Entry, ms: float = 1.0, alt: tuple[str, ...] = ()
) -> Result:
    return Result(Expected("问", wanted, alt), decision, tuple(map(candidate, candidates)), ms)


@pytest.mark.parametrize(
    ("decision", "name"),
    [
        (answered(LEAVE), "answered"),
        (Offered((candidate(LEAVE),)), "offered"),
        (Unanswered(), "unanswered"),
        (Menu(()), "unanswered"),
        (TopicList("休假", (LEAVE,), 1), "unanswered"),
        (SmallTalk(SmallTalkKind.GREETING), "unanswered"),
        (OutOfList(3), "unanswered"),
    ],
)
def test_a_decision_has_one_of_three_names(decision: Decision, name: str) -> None:
    assert decision_name(decision) == name == result("leave", decision).outcome


@pytest.mark.parametrize(
    ("wanted", "alt", "decision", "good"),
    [
        ("leave", (), answered(LEAVE), True),
        ("leave", (), answered(LUNCH), False),
        ("leave", ("lunch",), answered(LUNCH), True),
        (None, ("lunch",), answered(LUNCH), True),
        ("leave", (), Offered((candidate(LEAVE),)), False),
        ("leave", (), Unanswered(), False),
        (None, (), Unanswered(), True),
        (None, (), Offered((candidate(LEAVE),)), True),
        (None, (), SmallTalk(SmallTalkKind.THANKS), True),
        (None, (), answered(LEAVE), False),
    ],
)
def test_good_is_the_right_answer_or_none_where_there_is_none(
    wanted: str | None, alt: tuple[str, ...], decision: Decision, good: bool
) -> None:
    assert result(wanted, decision, alt=alt).good is good


def test_a_hit_is_a_right_entry_among_the_first() -> None:
    found = result("fund", Unanswered(), LEAVE, LUNCH, FUND)
    assert [found.hit(n) for n in (1, 2, 3, 5)] == [False, False, True, True]
    assert result("nowhere", Unanswered(), LEAVE, LUNCH, alt=("lunch",)).hit(2)
    assert not result(None, Unanswered(), LEAVE).hit(5)


def test_everything_is_counted() -> None:
    results = [
        result("leave", answered(LEAVE), LEAVE, LUNCH, ms=8),
        result("leave", answered(LUNCH), LUNCH, LEAVE, ms=7),
        result("lunch", Offered((candidate(LEAVE), candidate(LUNCH))), LEAVE, LUNCH, ms=6),
        result("lunch", Unanswered(), ms=5),
        result("nowhere", answered(LEAVE), LEAVE, ms=4, alt=("leave",)),
        result(None, Unanswered(), LEAVE, ms=3),
        result(None, answered(LEAVE), LEAVE, ms=2),
        result(None, Offered((candidate(LEAVE),)), LEAVE, ms=1),
        result("leave", likely(LEAVE), LEAVE, ms=9),
        result("leave", likely(LUNCH), LUNCH, ms=9),
        result(None, likely(LEAVE), LEAVE, ms=9),
    ]
    assert summary(results) == {
        "questions": 11,
        "with_answer": 7,
        "without_answer": 4,
        "top1": 0.4286,
        "top3": 0.7143,
        "answered_rightly": 2,
        "answered_wrongly": 2,
        "likely_rightly": 1,
        "likely_wrongly": 2,
        "offered": 2,
        "offered_with_the_right_one": 1,
        "refused": 2,
        "precision": 0.5,
        "likely_precision": 0.3333,
        "strangers_answered": 0.25,
        "strangers_likely": 0.25,
        "good": 0.4545,
        "ms_median": 6,
    }


def test_a_difference_of_the_first_candidate_is_named() -> None:
    differs = (Difference(DifferenceKind.NUMBER, "500元", "5000元"), Difference(DifferenceKind.CONDITION, "实习生"))
    first = replace(candidate(LEAVE), differs=differs)
    found = replace(result("leave", Offered((first,)), LEAVE), candidates=(first, candidate(LUNCH))).as_json()
    assert found["decision"] == "offered" and found["differs"] == [
        {"kind": "number", "asked": "500元", "written": "5000元"},
        {"kind": "condition", "asked": "实习生", "written": ""},
    ]
    assert "differs" not in replace(result("leave", Unanswered()), candidates=(candidate(LUNCH), first)).as_json()


def test_shares_of_nothing_are_unknown() -> None:
    counts = summary([])
    assert counts["questions"] == counts["answered_rightly"] == counts["refused"] == 0
    assert {counts[k] for k in ("top1", "top3", "precision", "strangers_answered", "good", "ms_median")} == {None}
    assert summary([result(None, Unanswered())])["top1"] is None
    assert summary([result("leave", Unanswered())])["strangers_answered"] is None


def test_each_question_has_one_result_in_order() -> None:
    asked = [
        Expected("公积金怎么提取", "fund"),
        Expected("红烧肉", None),
        Expected("年假有几天", "leave"),
        Expected("你好", None),
        Expected("公积金怎么提取", "leave"),
    ]
    done: list[int] = []
    results = evaluate(asked, INDEX, limits=FITTED_THRESHOLDS["balanced"], today=TODAY, progress=done.append)
    assert [r.expected for r in results] == asked and done == [1, 2, 3, 4, 5]
    assert [r.outcome for r in results] == ["answered", "unanswered", "answered", "unanswered", "answered"]
    assert [r.good for r in results] == [True, True, True, True, False]
    assert all(r.candidates == INDEX.search(r.expected.question) and r.ms >= 0 for r in results)


def test_five_entries_are_listed_where_there_are_five_open_ones() -> None:
    names = ["停车位在哪", "工牌丢了", "班车几点", "打印机坏了"]
    others = [Entry(f"e{n}", name, "x", draft=n == 0) for n, name in enumerate(names)]
    index = Index([LEAVE, LUNCH, FUND, *others])
    for text in ("年假有几天", "qqqq", "红烧肉"):
        (found,) = evaluate([Expected(text, "e3")], index, limits=FITTED_THRESHOLDS["balanced"], today=TODAY)
        listed = found.as_json()["candidates"]
        assert len(listed) == 5 == len({c["id"] for c in listed}) and "e0" not in {c["id"] for c in listed}
        assert [c["score"] for c in listed] == sorted((c["score"] for c in listed), reverse=True)
        # Those that fill the list are not found.
        (found,) = evaluate(
            [Expected(text, listed[-1]["id"])], index, limits=FITTED_THRESHOLDS["balanced"], today=TODAY
        )
        assert not found.hit(5) and listed[-1]["score"] == 0.0


def test_entries_out_of_date_are_not_found() -> None:
    over = Entry("over", "年会在哪里", "酒店", valid=Period(end=date(2026, 1, 31)))
    index = Index([over, LUNCH])
    (then,) = evaluate(
        [Expected("年会在哪里", "over")], index, limits=FITTED_THRESHOLDS["balanced"], today=date(2026, 1, 31)
    )
    (now,) = evaluate([Expected("年会在哪里", "over")], index, limits=FITTED_THRESHOLDS["balanced"], today=TODAY)
    assert then.answered_rightly and not now.hit(5)


def test_each_question_is_judged_with_its_own_vector() -> None:
    wordings = list(INDEX.wordings)
    vectors = np.eye(len(wordings), dtype=np.float32)
    asked = [Expected("qqqq", "lunch"), Expected("qqqq", None), Expected("qqqq", "fund")]
    meanings = [vectors[wordings.index("食堂几点开门")], None, vectors[wordings.index("公积金怎么提取")]]
    limits = FITTED_THRESHOLDS["balanced"]
    results = evaluate(
        asked,
        INDEX.with_embeddings(vectors),
        limits=limits,
        today=TODAY,
        meanings=meanings,
        limits_by_meaning=limits,
    )
    assert [r.candidates[0].entry.id if r.candidates else None for r in results] == ["lunch", None, "fund"]
    assert [r.embedding is meaning for r, meaning in zip(results, meanings, strict=True)] == [True] * 3


def test_a_question_that_words_are_sure_of_is_not_judged_by_its_vector() -> None:
    wordings = list(INDEX.wordings)
    vectors, limits = np.eye(len(wordings), dtype=np.float32), FITTED_THRESHOLDS["balanced"]
    elsewhere = vectors[wordings.index("公积金怎么提取")]
    (result,) = evaluate(
        [Expected("食堂几点开门", "lunch")],
        INDEX.with_embeddings(vectors),
        limits=limits,
        today=TODAY,
        meanings=[elsewhere],
        limits_by_meaning=limits,
    )
    assert result.answered_rightly and result.embedding is None


# — The command —


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FAQBOT_", "DINGTALK_"))}
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "faqbot", "evaluate", *arguments],
        cwd=folder,
        env=kept
        | {"PYTHONPATH": str(root), "PYTHONUTF8": "1", "FAQBOT_KNOWLEDGE": str(KNOWLEDGE), "FAQBOT_MEANING": "off"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """One that is answered rightly, one whose expected entry does not exist."""
    file = tmp_path / "questions.jsonl"
    file.write_text('{"q": "年假有几天", "id": "annual-leave"}\n{"q": "年假有几天", "id": "nowhere"}\n', "utf-8")
    return file


def test_the_command_prints_the_summary_and_each_result_as_json(questions: Path, tmp_path: Path) -> None:
    done = run(tmp_path, str(questions), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == {"summary", "results"} and len(found["results"]) == 2
    for shown in found["results"]:
        assert shown.keys() == {"q", "expected", "decision", "candidates", "ms"}
        assert all(c.keys() == {"id", "score", "matched"} for c in shown["candidates"])
    first, second = found["results"]
    assert (first["q"], first["expected"], first["decision"]) == ("年假有几天", "annual-leave", "answered")
    assert first["candidates"][0] == {"id": "annual-leave", "score": 1.0, "matched": "年假有几天？"}
    assert second["expected"] == "nowhere" and first["ms"] >= 0
    assert found["summary"]["questions"] == 2 and found["summary"]["good"] == 0.5


def test_the_command_lists_the_misses_and_is_content(questions: Path, tmp_path: Path) -> None:
    done = run(tmp_path, str(questions))
    assert done.returncode == 0 and "检验结果" in done.stdout
    assert "nowhere" in done.stdout and "应为 annual-leave" not in done.stdout


@pytest.mark.parametrize(("share", "code"), [("0.5", 0), ("0.6", 1), ("1", 1), ("1.5", 2)])
def test_too_few_good_results_are_exit_one(questions: Path, tmp_path: Path, share: str, code: int) -> None:
    assert run(tmp_path, str(questions), "--json", "--fail-under", share).returncode == code


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gone.jsonl", None, "gone.jsonl"),
        ("bad.jsonl", '{"q": "a"}\n{"q"\n', "bad.jsonl:2 "),
        ("bad.csv", "text,id\na,x\n", "bad.csv:1 "),
        ("bad.yaml", "- q: [\n", "bad.yaml:"),
    ],
)
def test_a_file_that_is_missing_or_malformed_is_exit_two(
    tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    done = run(tmp_path, name, "--json")
    assert done.returncode == 2 and said in done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "raw"),
    [("q.csv", b"q,id\n" + b"x" * 200_000), ("q.yaml", b"[" * 100_000), ("q.jsonl", b"[" * 100_000)],
)
def test_an_odd_file_is_explained_and_never_a_traceback(name: str, raw: bytes) -> None:
    with pytest.raises(EvaluationError):
        read_questions(name, raw)


def test_a_csv_with_old_line_ends_is_read() -> None:
    assert [e.question for e in read_questions("q.csv", b"q,id\rx,y\rz,\r")] == ["x", "z"]
