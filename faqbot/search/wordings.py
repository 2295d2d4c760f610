"""Wording table: one row for each wording of each entry, in all forms used for comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from faqbot.language import pinyin
from faqbot.language.normalize import Synonyms, normalise, skeleton, strip_fillers
from faqbot.model.entries import Entry
from faqbot.search.documents import DocumentIndex
from faqbot.search.inverted_index import InvertedIndex
from faqbot.search.semantic import EmbeddingIndex
from faqbot.search.verification import TermVectors
from faqbot.search.word_vectors import word_vectors

# Everyday questions that count as entries when terms are weighed; chosen on knowledge bases of 2 to 60 entries.
_BACKGROUND_ENTRIES = 40.0


class WordingTable:
    """The wordings of all entries, row by row, grouped by entry. Read-only after construction.

    Of each row: `originals` as HR wrote it, `raws` normalised and without padding, `texts` with synonyms unified too,
    `sounds` one character for each syllable, `owners` the number of its entry in `entries`. `script` is `han` where at
    least half of the wordings have Chinese characters, else `latin`.
    """

    def __init__(self, entries: Sequence[Entry], synonyms: Synonyms) -> None:
        self.entries = entries
        self.originals: list[str] = []
        owners: list[int] = []
        for number, entry in enumerate(entries):
            for wording in dict.fromkeys(entry.wordings):
                self.originals.append(wording)
                owners.append(number)
        self.owners = np.array(owners, dtype=np.int32)
        self.raws = [strip_fillers(normalise(wording)) for wording in self.originals]
        self.latin_words = frozenset(word for raw in self.raws for word in raw.split() if word.isascii())
        self.sounds = [sound_of(raw, self.latin_words) for raw in self.raws]
        self.texts = [synonyms.apply(raw) for raw in self.raws]
        chinese = sum(any("\u3400" <= c <= "\u9fff" for c in raw) for raw in self.raws)
        self.script = "han" if chinese * 2 >= len(self.raws) else "latin"
        background = _BACKGROUND_ENTRIES if self.script == "han" else 0.0
        self.index = InvertedIndex(self.texts, self.owners, len(entries), background)
        joined: list[list[str]] = [[] for _ in entries]
        for owner, text in zip(owners, self.texts, strict=True):
            joined[owner].append(text)
        self._term_vectors: dict[int, TermVectors] = {}
        self.documents = DocumentIndex(entries, map(" ".join, joined), synonyms, background)
        self.word_vectors = self._embed(entries, joined) if entries else None
        self._rows_by_skeleton: dict[str, list[int]] = {}
        for row, text in enumerate(self.texts):
            self._rows_by_skeleton.setdefault(skeleton(text), []).append(row)

    def _embed(self, entries: Sequence[Entry], joined: Sequence[Sequence[str]]) -> EmbeddingIndex:
        vectors = word_vectors()
        documents = vectors.embed(self.documents.texts)
        return EmbeddingIndex(vectors.embed(self.texts), documents, self.index.first_rows, self.index.row_counts)

    def term_vectors(self, row: int) -> TermVectors:
        """Return the terms of a wording with their vectors, which are looked up when they are needed first."""
        found = self._term_vectors.get(row)
        if found is None:
            found = self._term_vectors[row] = TermVectors.of(self.texts[row])
        return found

    def has(self, folded: str) -> bool:
        """Return True if some wording is this folded text, empty words aside."""
        return skeleton(folded) in self._rows_by_skeleton

    def rows_with_words_of(self, folded: str) -> Sequence[int]:
        """List the rows whose wording is this folded text, empty words aside."""
        return self._rows_by_skeleton.get(skeleton(folded), ())


def sound_of(text: str, latin_words: frozenset[str]) -> str:
    """Return the sound of a text, one character for each syllable; `latin_words` are not read as pinyin."""
    return "".join(sound for _, sound in pinyin.spell(text, latin_words))
