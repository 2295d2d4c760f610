"""What disturbed questions lose against the same questions undisturbed: typos, pinyin, other script, padding.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/noise.py [SET]
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

from faqbot.model.entries import Entry
from faqbot.search.index import Index

DATA = Path(__file__).resolve().parents[3] / "shared" / "bench" / "data"


def main() -> None:
    folder = DATA / (sys.argv[1] if len(sys.argv) > 1 else "zh_lcqmc")
    if not folder.is_dir():
        sys.exit(f"the question sets are not there: {folder} (see tests/bench/README.md)")

    def read(name: str) -> list[dict]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]

    entries = [Entry(e["id"], e["question"], "x", tuple(e.get("phrasings", ()))) for e in read("kb.jsonl")]
    index = Index(entries)
    first: dict[str, str] = {}

    def right(text: str, query: dict) -> bool:
        if text not in first:
            found = index.search(text)
            first[text] = found[0].entry.id if found else ""
        return first[text] in (query["id"], *query.get("alt", ()))

    rows: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for query in read("noise.jsonl"):
        if query["id"] is not None:
            rows[query["noise"]].append((right(query["q"], query), right(query["src"], query)))
    print(f"{'':14}{'n':>6}{'disturbed':>11}{'as it was':>11}{'lost':>8}")
    for kind, pairs in rows.items():
        after, before = (sum(p[i] for p in pairs) / len(pairs) for i in (0, 1))
        print(f"{kind:14}{len(pairs):6}{after:11.3f}{before:11.3f}{before - after:8.3f}")


if __name__ == "__main__":
    main()
