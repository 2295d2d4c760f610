"""What each group of built-in synonyms brings and spoils: every set judged without the group.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/vocabulary.py [GROUP ...]

For each group (all, or those led by the words given) prints the change of five counts when the group is taken out:
right entry first, right entry among three, answered outright and rightly, and wrongly, and `merged`: entries of which a
wording equals one of another entry, so that nobody can say which is meant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from faqbot.dialogue.answer_policy import judge_many
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.language.normalize import Synonyms, skeleton
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.decisions import Answered
from faqbot.model.entries import Entry
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds, learn

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "bench" / "data"
SETS = ("zh_hr", "zh_bank", "zh_telecom", "zh_lcqmc", "zh_epidemic", "zhtw_esun", "zhtw_labour", "zh_hrask", "sample")
MAX_QUERIES = 600
TODAY = date(2026, 11, 22)
Groups = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts over one set or over all."""

    first: int = 0
    three: int = 0
    right: int = 0
    wrong: int = 0
    merged: int = 0

    def values(self) -> tuple[int, ...]:
        return (self.first, self.three, self.right, self.wrong, self.merged)

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(self.values(), other.values(), strict=True)))

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(a - b for a, b in zip(self.values(), other.values(), strict=True)))

    def line(self) -> str:
        return "".join(f"{value:+8d}" for value in self.values())


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The entries and the questions of one set, with the company's own synonyms."""

    entries: Sequence[Entry]
    queries: Sequence[dict]
    own: Groups = ()

    @classmethod
    def read(cls, name: str) -> QuestionSet:
        if name in ("zh_hrask", "sample"):
            snapshot = build_snapshot(FolderSource(ROOT / "knowledge").read_now(), label="knowledge", today=TODAY)
            file = ROOT / "tests" / "questions.jsonl" if name == "sample" else DATA / name / "queries.jsonl"
            return cls(snapshot.index.entries, _lines(file), tuple(snapshot.synonyms))
        kb, queries = _lines(DATA / name / "kb.jsonl"), _lines(DATA / name / "queries.jsonl")
        entries = [Entry(e["id"], e["question"], "x", tuple(e.get("phrasings", ()))) for e in kb]
        return cls(entries, queries[:MAX_QUERIES])

    def count(self, groups: Groups, limits: Thresholds | None = None) -> tuple[Counts, Thresholds]:
        """Judge all questions with these built-in groups; `limits` are learned where none are given."""
        index = Index(self.entries, Synonyms((*self.own, *groups)))
        limits = limits or learn(index, "balanced")
        total = Counts(merged=self._merged(index))
        judged = judge_many([query["q"] for query in self.queries], index, limits=limits, today=TODAY)
        for query, (decision, ranking) in zip(self.queries, judged, strict=True):
            wanted = {query["id"], *query.get("alt", ())} - {None}
            found = [c.entry.id in wanted for c in ranking]
            answered = isinstance(decision, Answered)
            right = answered and decision.entry.id in wanted
            total += Counts(any(found[:1]), any(found[:3]), right, answered and not right)
        return total, limits

    def _merged(self, index: Index) -> int:
        owners: dict[str, set[int]] = {}
        for row, text in enumerate(index.folded_wordings):
            owners.setdefault(skeleton(text), set()).add(index.owner(row))
        return sum(len(entries) - 1 for entries in owners.values())


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def changes(name: str, chosen: Sequence[str]) -> tuple[Counts, dict[str, Counts]]:
    """Return the counts of a set with all groups, and by group the change without it."""
    groups = builtin_synonyms().groups
    questions = QuestionSet.read(name)
    whole, limits = questions.count(groups)
    written = "\n".join([*(q["q"] for q in questions.queries), *(w for e in questions.entries for w in e.wordings)])
    found: dict[str, Counts] = {}
    for group in groups:
        # A group of which no word but the first occurs changes nothing.
        if (not chosen or group[0] in chosen) and (
            name.startswith("zhtw") or any(w in written for w in group[1:] or group)
        ):
            found[group[0]] = questions.count([g for g in groups if g is not group], limits)[0] - whole
    return whole, found


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    with ProcessPoolExecutor(2) as pool:
        results = dict(zip(SETS, pool.map(changes, SETS, [sys.argv[1:]] * len(SETS)), strict=True))
    print(f"{'all groups':16}{'first':>8}{'three':>8}{'right':>8}{'wrong':>8}{'merged':>8}")
    for name, (whole, _) in results.items():
        print(f"{name:16}" + "".join(f"{value:8d}" for value in whole.values()))
    print("\nwithout the group")
    for group in builtin_synonyms().groups:
        parts = {name: found[group[0]] for name, (_, found) in results.items() if group[0] in found}
        if any(any(part.values()) for part in parts.values()):
            print(f"{group[0]:16}" + sum(parts.values(), Counts()).line())
            for name, part in parts.items():
                if any(part.values()):
                    print(f"  {name:14}{part.line()}")


if __name__ == "__main__":
    main()
