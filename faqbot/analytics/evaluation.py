"""Evaluation of the knowledge on labelled questions: reads them, judges each, counts the results. Pure."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from faqbot.access.visibility import open_to
from faqbot.dialogue.answer_policy import judge_by_words_first
from faqbot.errors import FaqbotError
from faqbot.model.decisions import Answered, Decision, Likely, Offered
from faqbot.model.differences import Difference
from faqbot.model.entries import Candidate, Entry
from faqbot.search.arrays import Floats
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds

_QUESTION_KEYS = ("q", "question", "问", "问题")
_ID_KEYS = ("id", "expected", "编号", "条目")
_YAML_NULLS = ("", "~", "null", "Null", "NULL")
_MIN_LISTED = 5  # product promise: at least five candidates where there are five entries


class EvaluationError(FaqbotError):
    """The file of questions cannot be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A labelled question: the id of the right entry, None if none should answer; `also_right` are equally good."""

    question: str
    entry_id: str | None
    also_right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The evaluation of one question; `ms` is the time it took.

    `others` are entries that share nothing with the question; they fill up `candidates` to five. `embedding` is that of
    the question if it took part; None where words alone decided.
    """

    expected: Expected
    decision: Decision
    candidates: tuple[Candidate, ...]
    ms: float
    others: tuple[Entry, ...] = ()
    embedding: Floats | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.expected.entry_id, *self.expected.also_right)))

    def hit(self, first: int) -> bool:
        return any(c.entry.id in self.wanted for c in self.candidates[:first])

    @property
    def outcome(self) -> str:
        return decision_name(self.decision)

    @property
    def answered_rightly(self) -> bool:
        return isinstance(self.decision, Answered) and self.decision.entry.id in self.wanted

    @property
    def likely_rightly(self) -> bool:
        return isinstance(self.decision, Likely) and self.decision.entry.id in self.wanted

    @property
    def offered_rightly(self) -> bool:
        candidates = self.decision.candidates if isinstance(self.decision, Offered) else ()
        return any(c.entry.id in self.wanted for c in candidates)

    @property
    def good(self) -> bool:
        """True if the right entry answered, outright or as the likely answer, or if none did where none should."""
        if self.wanted:
            return self.answered_rightly or self.likely_rightly
        return not isinstance(self.decision, Answered | Likely)

    def as_json(self) -> dict[str, Any]:
        listed = [{"id": c.entry.id, "score": c.score, "matched": c.question} for c in self.candidates]
        listed += [{"id": e.id, "score": 0.0, "matched": e.question} for e in self.others]
        differs = self.candidates[0].differs if self.candidates else ()
        return {
            "q": self.expected.question,
            "expected": self.expected.entry_id,
            "decision": self.outcome,
            "candidates": listed,
            **({"differs": [_difference_json(d) for d in differs]} if differs else {}),
            "ms": round(self.ms, 3),
        }


def _difference_json(difference: Difference) -> dict[str, str]:
    return {"kind": difference.kind.value, "asked": difference.asked, "written": difference.written}


def decision_name(decision: Decision) -> str:
    """Return `answered`, `likely`, `offered`, or `unanswered` for everything else, also for greetings and commands."""
    return decision.outcome if isinstance(decision, Answered | Likely | Offered) else "unanswered"


def evaluate(
    questions: Sequence[Expected],
    index: Index,
    *,
    limits: Thresholds,
    today: date,
    meanings: Sequence[Floats | None] | None = None,
    limits_by_meaning: Thresholds | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> list[Result]:
    """Judge every question as a whole, in order.

    `meanings` holds the embedding of each question, if there are any; `limits_by_meaning` hold for these.
    """
    results: list[Result] = []
    for number, expected in enumerate(questions, 1):
        began = time.perf_counter()
        meaning = meanings[number - 1] if meanings is not None else None
        judged = judge_by_words_first(
            expected.question,
            index,
            limits=limits,
            limits_by_meaning=limits_by_meaning,
            today=today,
            embedding=meaning,
        )
        ms = (time.perf_counter() - began) * 1000
        others = _others(judged.ranking, index, today)
        results.append(Result(expected, judged.decision, tuple(judged.ranking), ms, others, judged.embedding))
        progress(number)
    return results


def _others(ranking: Sequence[Candidate], index: Index, today: date) -> tuple[Entry, ...]:
    ranked_ids = {c.entry.id for c in ranking}
    others = (e for e in index.entries if e.id not in ranked_ids and open_to(e, today, None))
    return tuple(itertools.islice(others, max(0, _MIN_LISTED - len(ranked_ids))))


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """Return counts and shares over all results; shares refer to the questions that have an answer."""
    inside = [r for r in results if r.wanted]
    outside = [r for r in results if not r.wanted]
    answered = [r for r in results if isinstance(r.decision, Answered)]
    likely = [r for r in results if isinstance(r.decision, Likely)]
    right = sum(r.answered_rightly for r in results)
    likely_right = sum(r.likely_rightly for r in results)
    times = sorted(r.ms for r in results)

    def share(count: int, of: int) -> float | None:
        return round(count / of, 4) if of else None

    return {
        "questions": len(results),
        "with_answer": len(inside),
        "without_answer": len(outside),
        "top1": share(sum(r.hit(1) for r in inside), len(inside)),
        "top3": share(sum(r.hit(3) for r in inside), len(inside)),
        "answered_rightly": right,
        "answered_wrongly": len(answered) - right,
        "likely_rightly": likely_right,
        "likely_wrongly": len(likely) - likely_right,
        "offered": sum(r.outcome == "offered" for r in results),
        "offered_with_the_right_one": sum(r.offered_rightly for r in inside),
        "refused": sum(r.outcome == "unanswered" for r in results),
        "precision": share(right, len(answered)),
        "likely_precision": share(likely_right, len(likely)),
        "strangers_answered": share(sum(isinstance(r.decision, Answered) for r in outside), len(outside)),
        "strangers_likely": share(sum(isinstance(r.decision, Likely) for r in outside), len(outside)),
        "good": share(sum(r.good for r in results), len(results)),
        "ms_median": round(times[len(times) // 2], 3) if times else None,
    }


def read_questions(name: str, raw: bytes) -> list[Expected]:
    """Read YAML, CSV or JSONL by the ending of `name`. Raises EvaluationError with the line."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise EvaluationError(f"{name} 不是 UTF-8 编码，请另存为 UTF-8") from exc
    ending = name.rsplit(".", 1)[-1].lower()
    if ending in ("yaml", "yml"):
        rows = _yaml_rows(name, text)
    elif ending == "csv":
        rows = _csv_rows(name, text)
    else:
        rows = _json_rows(name, text)
    return [_expected(place, row) for place, row in rows]


def _json_rows(name: str, text: str) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append((f"{name}:{number}", json.loads(line)))
            except (ValueError, RecursionError) as exc:
                raise EvaluationError(f'{name}:{number} 不是 JSON，每行应是 {{"q": "…", "id": "…"}}') from exc
    return rows


def _csv_rows(name: str, text: str) -> list[tuple[str, Any]]:
    reader = csv.DictReader(io.StringIO(re.sub("\r\n?", "\n", text), newline=""))
    try:
        if reader.fieldnames and not set(_QUESTION_KEYS) & set(reader.fieldnames):
            raise EvaluationError(f"{name}:1 第一行应是列名，例如 q,id")
        return [(f"{name}:{reader.line_num}", row) for row in reader]
    except csv.Error as exc:
        raise EvaluationError(f"{name}:{reader.line_num} CSV 读不懂（{exc}）") from exc


def _yaml_rows(name: str, text: str) -> list[tuple[str, Any]]:
    try:
        # Only text: `9:30` is no number of minutes, and an id may be 0571 or no.
        loaded = yaml.load(text, Loader=yaml.CBaseLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        raise EvaluationError(f"{name}:{mark.line + 1 if mark else 1} YAML 读不懂") from exc
    except (ValueError, RecursionError) as exc:
        raise EvaluationError(f"{name} YAML 读不懂（{exc}）") from exc
    if not isinstance(loaded, list):
        raise EvaluationError(f"{name} 应是一个列表，每项写 q（问题）和 id（条目编号）")
    return [(f"{name} 第 {number} 项", _without_nulls(row)) for number, row in enumerate(loaded, 1)]


def _without_nulls(row: Any) -> Any:
    return {k: v for k, v in row.items() if v not in _YAML_NULLS} if isinstance(row, dict) else row


def _expected(place: str, row: Any) -> Expected:
    if not isinstance(row, Mapping):
        raise EvaluationError(f"{place} 应有 q（问题）和 id（条目编号，没有答案时留空）")
    question = next((row[k] for k in _QUESTION_KEYS if row.get(k) is not None), None)
    if question is None:
        raise EvaluationError(f"{place} 没有问题（q）")
    entry_id = next((row[k] for k in _ID_KEYS if row.get(k) is not None), None)
    also = row.get("alt")
    return Expected(
        str(question),
        str(entry_id) if entry_id is not None and str(entry_id).strip() else None,
        tuple(map(str, also)) if isinstance(also, list) else (),
    )
