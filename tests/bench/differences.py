"""Measure the finder of differences on public question sets: what it must find, and what it must not.

usage: python tests/bench/differences.py [--list PART]

Reads the sets beside the repository (see README.md here). `--list` prints each case that went wrong in a part whose
name begins with PART. Near questions must differ from the entry; all others must not.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import permutations
from pathlib import Path

from rapidfuzz import fuzz

from faqbot.differences.finder import DifferenceFinder
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import Snapshot, build_snapshot
from faqbot.language.normalize import Synonyms
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.differences import Difference
from faqbot.model.entries import Entry
from faqbot.search.index import SearchQuery

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "bench" / "data"
PARAPHRASES = ["zh_bank", "zh_hr", "zh_telecom", "zh_epidemic"]
PAIRS = ["antfin", "bq", "epidemic", "lcqmc", "oppo"]
SIMILAR = 70  # rapidfuzz ratio from which on a pair of zh_pairs may be taken for the same
PAIRS_PER_ENTRY = 20


@dataclass(frozen=True)
class Case:
    """A question compared with an entry; `differs`: whether it must differ."""

    question: str
    entry: Entry
    differs: bool
    wording: str = ""


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def entries_of(name: str) -> list[Entry]:
    return [
        Entry(row["id"], row["question"], row.get("answer") or "…", also=tuple(row["phrasings"]))
        for row in rows(DATA / name / "kb.jsonl")
    ]


def contrast_cases() -> Iterator[tuple[str, Case]]:
    entries = {entry.id: entry for entry in entries_of("zh_contrast")}
    for row in rows(DATA / "zh_contrast" / "queries.jsonl"):
        near = row["near"]
        if row["kind"] not in ("stopwords", "nothing"):
            yield f"contrast {row['kind']}", Case(row["q"], entries[near or row["id"]], near is not None)


def sample() -> Snapshot:
    return build_snapshot(FolderSource(ROOT / "knowledge").read_now(), label="knowledge", today=date(2026, 11, 25))


def sample_cases(snapshot: Snapshot) -> Iterator[tuple[str, Case]]:
    by_id = {entry.id: entry for entry in snapshot.entries}
    for row in rows(ROOT / "tests" / "questions.jsonl"):
        if row.get("id"):
            yield "sample questions", Case(row["q"], by_id[row["id"]], False)
    for row in rows(DATA / "zh_hrask" / "queries.jsonl"):
        if row["id"]:
            yield "hrask right", Case(row["q"], by_id[row["id"]], False)
        elif ranking := snapshot.index.search_batch([SearchQuery(row["q"], lambda _: True)])[0]:
            part = "hrask near" if row["kind"].startswith("near") else "hrask stranger"
            yield part, Case(row["q"], ranking[0].entry, True, ranking[0].question)


def paraphrase_cases(name: str, entries: Iterable[Entry]) -> Iterator[tuple[str, Case]]:
    """Each wording of an entry against the entry without it."""
    for entry in entries:
        for asked, wording in list(permutations(entry.wordings, 2))[:PAIRS_PER_ENTRY]:
            rest = tuple(w for w in entry.wordings if w not in (asked, wording))
            yield f"paraphrase {name}", Case(asked, replace(entry, question=wording, also=rest), False, wording)


def set_cases() -> Iterator[tuple[str, Case]]:
    """Questions of the sets against their entries."""
    for name in PARAPHRASES:
        by_id = {entry.id: entry for entry in entries_of(name)}
        for row in rows(DATA / name / "queries.jsonl"):
            if row["id"]:
                yield f"query {name}", Case(row["q"], by_id[row["id"]], False)


def pair_cases() -> Iterator[tuple[str, Case]]:
    for corpus in PAIRS:
        for n, row in enumerate(rows(DATA / "zh_pairs" / f"{corpus}.jsonl")):
            if fuzz.ratio(row["a"], row["b"]) >= SIMILAR:
                entry = Entry(f"{corpus}{n}", row["b"], "…")
                yield f"pairs {corpus} y={row['y']}", Case(row["a"], entry, not row["y"])


def differences(case: Case, finder: DifferenceFinder) -> tuple[Difference, ...]:
    wording = case.wording or max(case.entry.wordings, key=lambda w: fuzz.ratio(case.question, w))
    return finder.differences(finder.read(case.question), wording, case.entry)


def speed(entries: list[Entry], finder: DifferenceFinder) -> None:
    questions = [row["q"] for row in rows(DATA / "zh_hrask" / "queries.jsonl")]
    for entry in entries:
        finder.differences(finder.read("热身"), entry.question, entry)
    start = time.perf_counter()
    readings = [finder.read(question) for question in questions]
    read = time.perf_counter()
    for reading in readings:
        for entry in entries:
            finder.differences(reading, entry.question, entry)
    compared = time.perf_counter()
    print(f"read {(read - start) / len(questions) * 1e6:.0f} µs")
    print(f"compare {(compared - read) / len(questions) / len(entries) * 1e6:.1f} µs")


def main(listed: str | None) -> None:
    snapshot = sample()
    synonyms = Synonyms((*snapshot.synonyms, *builtin_synonyms().groups))
    finder = DifferenceFinder(snapshot.entries, synonyms)
    cases = [*contrast_cases(), *sample_cases(snapshot), *paraphrase_cases("sample", snapshot.entries)]
    for name in PARAPHRASES:
        cases += paraphrase_cases(name, entries_of(name))
    cases += [*set_cases(), *pair_cases()]
    total: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    kinds: Counter[tuple[str, bool]] = Counter()
    for part, case in cases:
        found = differences(case, finder)
        total[part] += 1
        differing[part] += bool(found)
        if part.startswith("pairs"):
            kinds.update((kind, case.differs) for kind in {d.kind.value for d in found})
        if listed is not None and part.startswith(listed) and bool(found) != case.differs:
            print(part, "|", case.question, "|", case.wording or case.entry.question, "|", *map(_shown, found))
    for part, count in total.items():
        print(f"{part:28} {differing[part]:5} of {count:5} differ  {differing[part] / count:.3f}")
    print("on similar pairs: kind, same, not the same")
    for kind in sorted({kind for kind, _ in kinds}):
        print(f"{kind:14} {kinds[kind, False]:5} {kinds[kind, True]:5}")
    speed(list(snapshot.entries), finder)


def _shown(difference: Difference) -> str:
    return f"{difference.kind.value}: {difference.asked} / {difference.written};"


if __name__ == "__main__":
    main(sys.argv[2] if sys.argv[1:2] == ["--list"] else None)
