"""How fast the index is built and searched, on one core, by size.

usage: OPENBLAS_NUM_THREADS=1 python tests/bench/speed.py [ENTRIES ...]
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from faqbot.model.entries import Entry
from faqbot.search.index import Index, SearchQuery

DATA = Path(__file__).resolve().parents[3] / "shared" / "bench" / "data" / "zh_scale"


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"the question sets are not there: {DATA} (see tests/bench/README.md)")
    sizes = [int(a) for a in sys.argv[1:]] or [1000, 5000, 30000]
    kb = [json.loads(line) for line in (DATA / "kb.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = [json.loads(line) for line in (DATA / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    Index([Entry("warm", "热身", "x")]).search("热身")  # loads the dictionaries once
    print(f"{'entries':>8}{'build s':>9}{'MB':>8}{'median ms':>11}{'p99 ms':>8}{'many/s':>8}{'top1':>7}")
    for size in sizes:
        entries = [Entry(e["id"], e["question"], "x", tuple(e.get("phrasings", ()))) for e in kb[:size]]
        before, began = resident_mb(), time.perf_counter()
        index = Index(entries)
        built, grown = time.perf_counter() - began, resident_mb() - before
        known = {e.id for e in entries}
        times, hits, inside = [], 0, 0
        for query in asked:
            began = time.perf_counter()
            found = index.search(query["q"])
            times.append((time.perf_counter() - began) * 1000)
            if query["id"] in known:
                inside += 1
                hits += bool(found) and found[0].entry.id in (query["id"], *query.get("alt", ()))
        # Each text once, in a form that was not normalised before, as from different people.
        texts = list(dict.fromkeys(q["q"] + "。" for q in asked))
        began = time.perf_counter()
        index.search_batch([SearchQuery(text) for text in texts])
        rate = len(texts) / (time.perf_counter() - began)
        print(
            f"{size:8}{built:9.2f}{grown:8.1f}{np.median(times):11.2f}{np.percentile(times, 99):8.2f}"
            f"{rate:8.0f}{hits / max(1, inside):7.3f}"
        )


if __name__ == "__main__":
    main()
