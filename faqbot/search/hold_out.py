"""Hold-out evaluation: removes a wording from the knowledge base, asks it, and sees what is found. Pure.

Without the wording, a trial shows how often the first entry is right; without its entry, the question is out of scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from faqbot.search.arrays import Doubles, Floats
from faqbot.search.candidates import RetrievalRequest
from faqbot.search.index import Index
from faqbot.search.queries import Query

# Wordings tried at most, which takes well under a second. With fewer, one entry more or less would move the thresholds,
# and the answers to other questions with them.
_MAX_WORDINGS = 1000


class BestEntry(NamedTuple):
    """The number of the first entry of a ranking, and its score."""

    entry: int
    score: float


class HoldOut:
    """Searches an index as if some of its wordings did not exist."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._table = index.table

    def sample_rows(self, max_rows: int) -> range:
        """Return at most `max_rows` rows of wordings, spread evenly over all."""
        row_count = len(self._table.originals)
        return range(0, row_count, max(1, -(-row_count // max_rows)))

    def queries(self, rows: Sequence[int]) -> list[Query]:
        """Prepare the wordings in these rows as if they were asked."""
        return self._index.analyzer.analyze([self._table.originals[row] for row in rows])

    def siblings(self, row: int) -> range:
        """Return the rows of all wordings of the entry that a wording belongs to."""
        return self._table.index.rows_of(self._index.owner(row))

    def embedding(self, row: int) -> Floats | None:
        """Return the vector of a wording, if it has one."""
        ranker = self._index.rankers.semantic
        return ranker.embeddings.vectors[row] if ranker is not None and ranker.embeddings is not None else None

    def best_entries(self, requests: Sequence[RetrievalRequest]) -> list[BestEntry | None]:
        """Return the best entry for each request; None for a request without candidates."""
        best_entries: list[BestEntry | None] = [None] * len(requests)
        for ranker, ids in self._index.rankers.batches([request.embedding for request in requests]):
            for n, ranking in zip(ids, ranker.rank([requests[n] for n in ids]), strict=True):
                if ranking is not None:
                    # Of equal scores the entry that is closer, which is the one retrieved first.
                    best = ranking.scores[0]
                    row = min(row for row, score in zip(ranking.rows, ranking.scores, strict=True) if score == best)
                    best_entries[n] = BestEntry(int(ranking.candidates.entries[row]), best)
        return best_entries


@dataclass(frozen=True, slots=True)
class Trial:
    """Scores of the first entries: for held-out wordings, with 1 where the entry was `correct` and 0 elsewhere, and for
    out-of-scope questions."""

    scores: Doubles
    correct: Doubles
    out_of_scope: Doubles


def hold_out_trial(index: Index) -> Trial:
    """Ask a sample of the wordings without themselves, and without their whole entry."""
    hold_out = HoldOut(index)
    rows = hold_out.sample_rows(_MAX_WORDINGS)
    requests: list[RetrievalRequest] = []
    # The row of a request without one wording, None for one without a whole entry.
    held_out_rows: list[int | None] = []
    for row, query in zip(rows, hold_out.queries(rows), strict=True):
        siblings = tuple(hold_out.siblings(row))
        embedding = hold_out.embedding(row)
        if len(siblings) > 1:
            requests.append(RetrievalRequest(query, held_out=(row,), embedding=embedding))
            held_out_rows.append(row)
        requests.append(RetrievalRequest(query, held_out=siblings, embedding=embedding))
        held_out_rows.append(None)
    scores: list[float] = []
    correct: list[bool] = []
    out_of_scope: list[float] = []
    for held_out_row, best in zip(held_out_rows, hold_out.best_entries(requests), strict=True):
        if best is not None and held_out_row is None:
            out_of_scope.append(best.score)
        elif best is not None and held_out_row is not None:
            scores.append(best.score)
            correct.append(best.entry == index.owner(held_out_row))
    return Trial(np.array(scores), np.array(correct, dtype=float), np.array(out_of_scope))
