"""Hold-out evaluation: removes a wording from the knowledge base, asks it, and sees what is found. Pure.

Without the wording, a trial shows how often the first entry is right; without its entry, the question is out of scope,
as are wordings with another word in them, and everyday questions that no knowledge base answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from faqbot.language.normalize import is_han
from faqbot.language.vocabulary import everyday_questions
from faqbot.search.arrays import Doubles, Floats
from faqbot.search.candidates import RetrievalRequest
from faqbot.search.index import Index
from faqbot.search.queries import Query
from faqbot.search.terms import terms_of

# Wordings tried at most, which takes well under a second. With fewer, one entry more or less would move the thresholds,
# and the answers to other questions with them.
_MAX_WORDINGS = 1000
# Wordings that are tried with another word in them.
_MAX_NEIGHBOURS = 200


class BestEntry(NamedTuple):
    """The number of the first entry of a ranking, its score, and the probability that the first five hold the right
    one."""

    entry: int
    score: float
    listed: float


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

    def rarest_word(self, row: int) -> str:
        """Return the two Chinese characters of a wording that fewest entries have; empty for one without any."""
        pairs = [term for term in terms_of(self._table.texts[row]) if len(term) == 2 and is_han(term)]
        return max(pairs, key=self._table.index.weight, default="")

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
                    best_entries[n] = BestEntry(int(ranking.candidates.entries[row]), best, ranking.listed)
        return best_entries


@dataclass(frozen=True, slots=True)
class Trial:
    """Scores of the first entries.

    scores, correct: for held-out wordings, with 1 where the entry was right and 0 elsewhere.
    out_of_scope: for wordings whose whole entry was removed.
    neighbours: for wordings in which the rarest word was replaced by one of another entry, as far as they still find
    their own entry.
    strangers: for everyday questions that no company's knowledge answers, the probability that a list would help.
    """

    scores: Doubles
    correct: Doubles
    out_of_scope: Doubles
    neighbours: Doubles
    strangers: Doubles


def hold_out_trial(index: Index) -> Trial:
    """Ask a sample of the wordings without themselves, without their whole entry, and with another word in them."""
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
    return Trial(
        np.array(scores),
        np.array(correct, dtype=float),
        np.array(out_of_scope),
        _neighbour_scores(index, hold_out),
        _stranger_scores(index, hold_out),
    )


def _neighbour_scores(index: Index, hold_out: HoldOut) -> Doubles:
    """Score wordings in which one word was replaced against the entries that they were made from."""
    rows = hold_out.sample_rows(_MAX_NEIGHBOURS)
    rarest = [hold_out.rarest_word(row) for row in rows]
    made: list[str] = []
    owners: list[int] = []
    for n, (row, word) in enumerate(zip(rows, rarest, strict=True)):
        other = rarest[(n + max(1, len(rows) // 2)) % len(rows)]
        text = index.folded_wordings[row].replace(word, other, 1) if word and other and word != other else ""
        if text and not index.has_wording(text):
            made.append(text)
            owners.append(index.owner(row))
    # By words alone: a made-up sentence has no vector.
    found = hold_out.best_entries([RetrievalRequest(query) for query in index.analyzer.analyze(made)])
    return np.array([b.score for b, owner in zip(found, owners, strict=True) if b is not None and b.entry == owner])


def _stranger_scores(index: Index, hold_out: HoldOut) -> Doubles:
    questions = [text for text in everyday_questions() if not index.has_wording(text)] if index.script == "han" else []
    found = hold_out.best_entries([RetrievalRequest(query) for query in index.analyzer.analyze(questions)])
    return np.array([best.listed if best is not None else 0.0 for best in found])
