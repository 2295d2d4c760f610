"""How long it takes to see what an edit changes: the self-test and the replay of past questions.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/impact.py [ENTRIES] [QUESTIONS]
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from faqbot.knowledge.impact.impact import QuestionReplay, self_test
from faqbot.model.entries import Entry
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS

DATA = Path(__file__).resolve().parents[3] / "shared" / "bench" / "data" / "zh_scale"


def judge_whole(past: QuestionReplay, after: Index) -> set[str]:
    """What a search of every question finds, to see what searching less has lost."""
    less, QuestionReplay._touched = QuestionReplay._touched, lambda self, edited, index: list(self._times)
    try:
        return {t.question for t in past.replay(after)}
    finally:
        QuestionReplay._touched = less


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    size, wanted = (int(a) for a in (sys.argv[1:] + ["1000", "5000"][len(sys.argv) - 1 :])[:2])
    kb = [json.loads(line) for line in (DATA / "kb.jsonl").read_text(encoding="utf-8").splitlines()]
    entries = [Entry(e["id"], e["question"], "x", tuple(e.get("phrasings", ()))) for e in kb[:size]]
    texts = [json.loads(line)["q"] for line in (DATA / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    # The sets hold too few questions of people: entries that are not in the base are questions too.
    texts += [e["question"] for e in kb[size:]]
    questions = {text: 1 for text in dict.fromkeys(texts)}
    questions = dict(list(questions.items())[:wanted])
    before = Index(entries)
    limits, today = FITTED_THRESHOLDS["balanced"], date(2026, 1, 1)
    began = time.perf_counter()
    past = QuestionReplay(questions, before, limits=limits, today=today)
    print(f"what it was before: {time.perf_counter() - began:.2f} s, once for a state of the knowledge")
    columns = (("questions", 10), ("changed", 9), ("build s", 9), ("replay s", 10), ("self-test s", 13), ("misses", 8))
    print(f"{'edit':28}" + "".join(f"{name:>{width}}" for name, width in (*columns, ("lost", 8))))
    for name, number in (("one more wording", 0), ("one more wording", 7), ("one entry removed", 11)):
        changed = list(entries)
        if "removed" in name:
            del changed[number]
        else:
            changed[number] = replace(entries[number], also=(*entries[number].also, texts[number]))
        began = time.perf_counter()
        after = Index(changed)
        built = time.perf_counter()
        turns = past.replay(after)
        replayed = time.perf_counter()
        quick = {t.question for t in turns}
        whole = judge_whole(past, after)
        began_test = time.perf_counter()
        misses = self_test(after, limits=limits, today=today)
        tested = time.perf_counter()
        lost = len(whole - quick)
        print(
            f"{name:28}{len(questions):10}{len(turns):9}{built - began:9.2f}{replayed - built:10.2f}"
            f"{tested - began_test:13.2f}{len(misses):8}{lost:8}"
        )


if __name__ == "__main__":
    main()
