"""Query analysis: normalises a query, corrects its spelling, and unifies synonyms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faqbot.language import pinyin
from faqbot.language.normalize import Synonyms, is_han, normalise, seams_of, strip_fillers
from faqbot.search.inverted_index import QueryTerms
from faqbot.search.spelling import SpelledUnit, SpellingCorrector, join_units
from faqbot.search.terms import terms_of
from faqbot.search.wordings import WordingTable, sound_of


@dataclass(frozen=True, slots=True)
class Query:
    """A text prepared for comparing.

    `original` is the text as it came; `raw` is normalised and without padding; `text` has synonyms unified and spelling
    repaired too. `units` are `raw` cut into pieces with the sound of each, and `sound` is all sounds in a row.
    `rewrites` are the pieces that were read as something else: (as written, as read). `seams` are pairs of characters
    that were not written as one word; they and what holds them are no terms, unless some wording has them.
    """

    original: str
    raw: str
    text: str
    sound: str
    terms: QueryTerms
    units: Sequence[SpelledUnit]
    rewrites: tuple[tuple[str, str], ...] = ()
    seams: frozenset[str] = frozenset()


class QueryAnalyzer:
    """Analyzes queries as the wordings of `table` were: the same synonyms, sounds and known Latin words."""

    def __init__(self, table: WordingTable, synonyms: Synonyms) -> None:
        self._table = table
        self._synonyms = synonyms
        self._corrector = SpellingCorrector(table.raws, table.sounds)

    def fold(self, text: str) -> str:
        """Return the form in which texts are compared: normalised, without padding, synonyms unified."""
        return self._synonyms.apply(strip_fillers(normalise(text)))

    def sound_of(self, folded: str) -> str:
        """Return the sound of a folded text, one character for each syllable."""
        return sound_of(folded, self._table.latin_words)

    def analyze(self, texts: Sequence[str]) -> list[Query]:
        """Prepare texts; typed pinyin and abbreviations are written out, wrong characters stay (repair_spelling)."""
        raws = [strip_fillers(normalise(text)) for text in texts]
        units = [pinyin.spell(raw, self._table.latin_words) for raw in raws]
        pieces = [self._write_out_letters(u) for u in units]
        return self._build(texts, raws, units, pieces, [seams_of(text) for text in texts])

    def repair_spelling(self, queries: Sequence[Query]) -> list[Query | None]:
        """Replace characters that only sound right; None for a query in which there is nothing to replace."""
        repaired: list[Query | None] = [None] * len(queries)
        if self._table.script != "han":
            return repaired
        pieces: dict[int, list[str]] = {}
        for n, query in enumerate(queries):
            spelled_units = self._write_out_letters(query.units)
            sounds = [sound for _, sound in query.units]
            corrected = self._corrector.repair(list(zip(spelled_units, sounds, strict=True)), self._table.index)
            if any(new != old for new, (old, _) in zip(corrected, query.units, strict=True)):
                pieces[n] = corrected
        if not pieces:
            return repaired
        chosen = [queries[n] for n in pieces]
        originals, raws = [query.original for query in chosen], [query.raw for query in chosen]
        units, seams = [query.units for query in chosen], [query.seams for query in chosen]
        for n, query in zip(pieces, self._build(originals, raws, units, list(pieces.values()), seams), strict=True):
            repaired[n] = query
        return repaired

    def _write_out_letters(self, units: Sequence[SpelledUnit]) -> list[str]:
        """Return the pieces of a text with typed pinyin and abbreviations written out in Chinese."""
        pieces = [piece for piece, _ in units]
        if self._table.script != "han" or all(map(is_han, pieces)):
            return pieces
        return self._corrector.write_out_letters(units, self._table.latin_words)

    def _build(
        self,
        originals: Sequence[str],
        raws: Sequence[str],
        units: Sequence[Sequence[SpelledUnit]],
        pieces: Sequence[Sequence[str]],
        seams: Sequence[frozenset[str]],
    ) -> list[Query]:
        """Build the queries of `originals`, normalised to `raws`, cut into `units` and written as `pieces`."""
        rewrites = [
            tuple((old, new) for new, (old, _) in zip(new_pieces, old_units, strict=True) if new != old)
            for new_pieces, old_units in zip(pieces, units, strict=True)
        ]
        texts = [
            self._synonyms.apply(join_units(new_pieces) if changed else raw)
            for raw, new_pieces, changed in zip(raws, pieces, rewrites, strict=True)
        ]
        sounds = ["".join([sound for _, sound in query_units]) for query_units in units]
        terms = self._table.index.query_terms(list(map(self._terms, texts, seams)))
        return list(map(Query, originals, raws, texts, sounds, terms, units, rewrites, seams))

    def _terms(self, text: str, seams: frozenset[str]) -> Sequence[str]:
        unknown = [seam for seam in seams if not self._table.index.has_term(seam)]
        terms = terms_of(text)
        return [term for term in terms if not any(seam in term for seam in unknown)] if unknown else terms
