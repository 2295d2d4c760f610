"""Seconds for the table of the knowledge: export; import with nothing changed, ten or all entries, or into nothing.

usage: python tests/bench/exchange.py [ENTRIES ...]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from faqbot.knowledge.spreadsheet.columns import COLUMNS
from faqbot.knowledge.spreadsheet.comparison import known_entries, table_rows
from faqbot.knowledge.spreadsheet.importer import import_table
from faqbot.knowledge.spreadsheet.workbook import write_table

FILES = 20
ANSWER = next(at for at, column in enumerate(COLUMNS) if column.key == "answer")
T = TypeVar("T")


def knowledge(size: int) -> dict[str, bytes]:
    """That many entries in a few files, written as HR does."""
    files = {f"faq/part{n}.yaml": f"# 第 {n} 部分\ntopic: 主题{n}\nowner: 人事组\nentries:\n" for n in range(FILES)}
    for i in range(size):
        files[f"faq/part{i % FILES}.yaml"] += (
            f"  - id: entry-{i}\n    question: 第 {i} 个问题怎么办？\n"
            f"    also: [第 {i} 种问法, 第 {i} 种说法]   # 常问\n"
            f"    answer: |\n      满 {i} 年的，**5 天**；\n      - 其他的问人事组\n    source: 《手册》第 {i} 条\n\n"
        )
    return {name: text.encode() for name, text in files.items()}


def timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


def imported(files: Mapping[str, bytes], name: str, raw: bytes, expected: tuple[int, int, int]) -> float:
    seconds, (plan, _) = timed(lambda: import_table(files, name, raw, delete_missing=False))
    found = (len(plan.new), len(plan.changed), plan.unchanged)
    assert plan.ok and found == expected, (found, plan.problems[:3])
    return seconds


def main() -> None:
    print(f"{'entries':>8} {'file':<6}{'MB':>6}{'export':>8}{'import: same':>14}{'10 changed':>12}{'all':>8}{'new':>8}")
    for size in [int(a) for a in sys.argv[1:]] or [1000, 10_000]:
        for name in ("k.xlsx", "k.csv"):
            measure(size, name)


def measure(size: int, name: str) -> None:
    files = knowledge(size)
    rows = table_rows(known_entries(files)[0])
    few = [[*row[:ANSWER], "改了", *row[ANSWER + 1 :]] if i < 10 else row for i, row in enumerate(rows)]
    every = [[*row[:ANSWER], row[ANSWER] + "\n改了", *row[ANSWER + 1 :]] for row in rows]
    exported, raw = timed(lambda: write_table(name, rows))
    same = imported(files, name, raw, (0, 0, size))
    ten = imported(files, name, write_table(name, few), (0, 10, size - 10))
    changed = imported(files, name, write_table(name, every), (0, size, 0))
    new = imported({}, name, raw, (size, 0, 0))
    print(
        f"{size:8} {name[2:]:<6}{len(raw) / 2**20:6.1f}{exported:8.2f}{same:14.2f}{ten:12.2f}{changed:8.2f}{new:8.2f}"
    )


if __name__ == "__main__":
    main()
