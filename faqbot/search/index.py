"""Search index of a knowledge base: ranks the entries that may answer a text, each with a score between 0 and 1.

Steps: analyze the text (queries), retrieve (candidates), compare (ranking_features), rank and score (scoring, ranker).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from faqbot.differences.finder import DifferenceFinder
from faqbot.language.normalize import Synonyms, normalise
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.entries import Candidate, Entry
from faqbot.search.arrays import Floats
from faqbot.search.candidates import RetrievalRequest
from faqbot.search.queries import QueryAnalyzer
from faqbot.search.ranker import Ranker, Rankers, Ranking
from faqbot.search.semantic import EmbeddingIndex
from faqbot.search.terms import is_readable, terms_of
from faqbot.search.weights import EMBEDDING_FEATURES, FEATURES
from faqbot.search.wordings import WordingTable

# A query whose best score is below this is tried again with its spelling repaired.
_REPAIR_BELOW_SCORE = 0.9
# The repaired query is used if this share of its weight has become known that was not, and if the score rose by this.
_REPAIR_MIN_KNOWN, _REPAIR_MIN_GAIN = 0.1, 0.05
# Characters of an entry's question and answer that are embedded: an encoder takes time for each, and what an answer is
# about stands at its beginning.
_EMBEDDED_CHARS = 100
# Of more entries than this the answers are not embedded.
_MAX_EMBEDDED_DOCUMENTS = 3000
_COVERED, _EXPLAINED = FEATURES.index("covered"), FEATURES.index("explained")


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A text to search for among the entries for which `allowed` is true. `embedding` is its vector; without it, or
    without embeddings of the wordings, terms alone decide."""

    text: str
    allowed: Callable[[Entry], bool] | None = None
    embedding: Floats | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reasons for the rank of a candidate.

    `features` are the values that ranked it, `uncovered` the terms of the query that its wording lacks, `rewrites` the
    pieces of the query that were read as something else, `folded` the form in which the query was compared.
    """

    features: Mapping[str, float]
    uncovered: tuple[str, ...]
    rewrites: tuple[tuple[str, str], ...]
    folded: str


class Index:
    """The search index, built once from the entries that may be answered; safe to read from any thread."""

    def __init__(self, entries: Iterable[Entry], synonyms: Synonyms | None = None) -> None:
        self.entries = tuple(entries)
        self.by_id = {entry.id: entry for entry in self.entries}
        synonyms = synonyms or Synonyms(builtin_synonyms().groups)
        self.table = WordingTable(self.entries, synonyms)
        self.analyzer = QueryAnalyzer(self.table, synonyms)
        excluded = {n: tuple(map(self.fold, entry.not_)) for n, entry in enumerate(self.entries) if entry.not_}
        self._excluded = excluded
        self.finder = DifferenceFinder(self.entries, synonyms)
        self.rankers = Rankers(self.table, Ranker(self.table, excluded, self.finder))
        # True if some entry is for certain groups or departments only: then results depend on who asks, and where.
        self.limited = any(entry.groups or entry.departments for entry in self.entries)
        self.by_department = any(entry.departments for entry in self.entries)
        self.private = tuple(entry for entry in self.entries if entry.private)
        # By its normalised name.
        self.topics = {normalise(entry.topic): entry.topic for entry in self.entries if entry.topic}

    @property
    def script(self) -> str:
        """`han` where at least half of the wordings have Chinese characters, else `latin`."""
        return self.table.script

    @property
    def has_embeddings(self) -> bool:
        """True if queries may come with a vector."""
        return self.rankers.semantic is not None

    @property
    def wordings(self) -> Sequence[str]:
        """All wordings, row by row, as HR wrote them and as they are to be embedded."""
        return self.table.originals

    @property
    def embedded_texts(self) -> list[str]:
        """All texts to embed: the wordings, row by row, then each entry's question with its answer.

        Of very many entries the wordings alone, so that the first vectors are there in minutes.
        """
        if len(self.entries) > _MAX_EMBEDDED_DOCUMENTS:
            return list(self.table.originals)
        return [*self.table.originals, *map(_document, self.entries)]

    @property
    def folded_wordings(self) -> Sequence[str]:
        """All wordings, row by row, in the form in which they are compared."""
        return self.table.texts

    def owner(self, row: int) -> int:
        """Return the number of the entry that a wording belongs to."""
        return int(self.table.owners[row])

    def with_embeddings(self, vectors: Floats) -> Index:
        """Return the same index with a vector for each of `embedded_texts`; queries may then come with one too.

        With vectors of the wordings only, that of an entry's question stands for its answer, too.
        """
        index = copy.copy(self)
        row_count = len(self.table.originals)
        postings = self.table.index
        documents = vectors[row_count:] if len(vectors) > row_count else vectors[postings.first_rows]
        embeddings = EmbeddingIndex(vectors[:row_count], documents, postings.first_rows, postings.row_counts)
        semantic = Ranker(self.table, self._excluded, self.finder, embeddings)
        index.rankers = Rankers(self.table, self.rankers.lexical, semantic)
        return index

    def fold(self, text: str) -> str:
        """Return the form in which texts are compared: normalised, without padding, synonyms unified."""
        return self.analyzer.fold(text)

    def sound_of(self, folded: str) -> str:
        """Return the sound of a folded text, one character for each syllable."""
        return self.analyzer.sound_of(folded)

    def has_wording(self, text: str) -> bool:
        """Return True if HR wrote these very words for some entry."""
        return self.table.has(self.fold(text))

    def weight_share(self, terms: Sequence[str], known: Collection[str]) -> float:
        """Return the share of the weight of `terms` that those among `known` make up, 0 to 1."""
        weight = self.table.index.weight
        total = sum(map(weight, terms))
        return sum(weight(term) for term in terms if term in known) / total if total else 0.0

    def search(
        self,
        text: str,
        *,
        allowed: Callable[[Entry], bool] | None = None,
        limit: int = 5,
        embedding: Floats | None = None,
    ) -> tuple[Candidate, ...]:
        """Rank the entries for which `allowed` is true; at most `limit`, best first. See SearchQuery."""
        return self.search_batch([SearchQuery(text, allowed, embedding)], limit)[0]

    def search_batch(self, queries: Sequence[SearchQuery], limit: int = 5) -> list[tuple[Candidate, ...]]:
        """Search for each query as `search` does; many together take a fraction of the time."""
        rankings = self._search(queries)
        return [self._to_candidates(ranking, limit) if ranking is not None else () for ranking in rankings]

    def explain(
        self,
        text: str,
        *,
        allowed: Callable[[Entry], bool] | None = None,
        limit: int = 5,
        embedding: Floats | None = None,
    ) -> tuple[Explanation, ...]:
        """Explain each candidate of `search`, in the same order."""
        (ranking,) = self._search([SearchQuery(text, allowed, embedding)])
        if ranking is None:
            return ()
        query, candidates = ranking.query, ranking.candidates
        names = FEATURES + EMBEDDING_FEATURES
        query_terms = [term for term in terms_of(query.text) if is_readable(term)]
        explanations: list[Explanation] = []
        for row in ranking.rows[:limit]:
            wording_terms = set(terms_of(self.table.texts[int(candidates.wordings[row])]))
            features = zip(names, candidates.features[row], strict=False)
            explanations.append(
                Explanation(
                    features={name: round(float(value), 4) for name, value in features},
                    uncovered=tuple(term.removeprefix("w:") for term in query_terms if term not in wording_terms),
                    rewrites=query.rewrites,
                    folded=query.text,
                )
            )
        return tuple(explanations)

    def _search(self, queries: Sequence[SearchQuery]) -> list[Ranking | None]:
        """Rank the entries for each query; None where there is no candidate."""
        rankings: list[Ranking | None] = [None] * len(queries)
        for ranker, ids in self.rankers.batches([query.embedding for query in queries]):
            for n, ranking in zip(ids, self._search_together(ranker, [queries[n] for n in ids]), strict=True):
                rankings[n] = ranking
        return rankings

    def _search_together(self, ranker: Ranker, queries: Sequence[SearchQuery]) -> list[Ranking | None]:
        """Rank the entries for the queries of one batch."""
        analyzed = self.analyzer.analyze([query.text for query in queries])
        requests = {
            n: RetrievalRequest(one, query.allowed, embedding=query.embedding)
            for n, (one, query) in enumerate(zip(analyzed, queries, strict=True))
            if one.text
        }
        rankings = dict(zip(requests, ranker.rank(list(requests.values())), strict=True))
        if self.script == "han":
            self._repair_doubtful(ranker, requests, rankings)
        return [rankings.get(n) for n in range(len(queries))]

    def _repair_doubtful(
        self, ranker: Ranker, requests: Mapping[int, RetrievalRequest], rankings: dict[int, Ranking | None]
    ) -> None:
        """Search doubtful queries again with their spelling repaired; keep the new ranking where it is better."""
        # Only a text that leaves doubt as written may be misspelt, and a slip makes words that no wording has.
        doubtful = [
            n
            for n, ranking in rankings.items()
            if ranking is None or (ranking.scores[0] < _REPAIR_BELOW_SCORE and ranking.query.terms.unseen_share > 0)
        ]
        repaired = self.analyzer.repair_spelling([requests[n].query for n in doubtful])
        again: dict[int, RetrievalRequest] = {}
        for n, query in zip(doubtful, repaired, strict=True):
            unseen = 1.0 if rankings[n] is None else requests[n].query.terms.unseen_share
            if query is not None and query.terms.unseen_share <= unseen - _REPAIR_MIN_KNOWN:
                again[n] = replace(requests[n], query=query)
        for n, ranking in zip(again, ranker.rank(list(again.values())), strict=True):
            first = rankings[n]
            if ranking and (first is None or ranking.scores[0] > first.scores[0] + _REPAIR_MIN_GAIN):
                rankings[n] = ranking

    def _to_candidates(self, ranking: Ranking, limit: int) -> tuple[Candidate, ...]:
        candidates, rows = ranking.candidates, ranking.rows[:limit]
        # A word that stands in the answer only is explained, too.
        covered = np.maximum(candidates.features[rows, _COVERED], candidates.features[rows, _EXPLAINED])
        if candidates.features.shape[1] > len(FEATURES):
            # Semantic similarity is as good a sign as common terms.
            covered = np.maximum(covered, candidates.features[rows, len(FEATURES) :].max(axis=1))
        entries, wordings = candidates.entries[rows].tolist(), candidates.wordings[rows].tolist()
        listed = round(ranking.listed, 4)
        facts = zip(rows, entries, ranking.scores, wordings, covered.tolist(), strict=False)
        return tuple(
            [
                Candidate(
                    self.entries[entry],
                    round(score, 4),
                    self.table.originals[wording],
                    max(share, 0.0),
                    ranking.differences.get(row, ()),
                    listed,
                )
                for row, entry, score, wording, share in facts
            ]
        )


def _document(entry: Entry) -> str:
    """Return the text by which a whole entry is embedded."""
    cases = (f"{case} {text}" for case, text in entry.variants.items())
    return " ".join((entry.question, entry.answer, *cases))[:_EMBEDDED_CHARS]
