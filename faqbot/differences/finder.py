"""Difference finder: names what a question says otherwise than the wording of an entry that it matched. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, cached_property

from rapidfuzz.fuzz import ratio

from faqbot.differences.codes import Codes, code_differences, initials_of, read_codes
from faqbot.differences.dates import year_differences
from faqbot.differences.denial import Denials, denial_differences
from faqbot.differences.families import family_differences, sound_of
from faqbot.differences.names import name_differences
from faqbot.differences.order import order_differences, swapped_words
from faqbot.differences.quantities import Quantity, quantity_differences
from faqbot.differences.reading import Reading, load_word_lists, read_figures, read_text
from faqbot.differences.replaced import bare, replaced_differences, substitutions, word_differences
from faqbot.differences.sides import Sides, side_differences, sides_in
from faqbot.differences.sides import apart as sides_apart
from faqbot.differences.subjects import Subjects, merged, subject_differences, subjects_in
from faqbot.language.normalize import Synonyms
from faqbot.language.vocabulary import builtin_synonyms
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.model.entries import Entry

# From this similarity on, one character that one text denies and the other says is the same word in both.
_MIN_SIMILARITY_TO_DENY = 50
# From this similarity on, what differs stands for the same part of two texts.
_MIN_SIMILARITY_TO_ALIGN = 60
# The same for a question of less than this many characters, of which one word is a larger part.
_SHORT, _MIN_SIMILARITY_OF_SHORT = 10, 50


class _EntryReading:
    """The content of all texts of an entry, each part read when it is needed first."""

    def __init__(self, entry: Entry, synonyms: Synonyms) -> None:
        self.entry = entry
        self._synonyms = synonyms
        self._by_wording: dict[str, Reading] = {}

    def wording(self, text: str) -> Reading:
        """Read one wording, or any other text."""
        reading = self._by_wording.get(text)
        if reading is None:
            reading = read_text(text, self._synonyms)
            if text in self.entry.wordings:
                self._by_wording[text] = reading
        return reading

    @cached_property
    def wordings(self) -> Sequence[Reading]:
        """Each wording once."""
        return [self.wording(text) for text in dict.fromkeys(self.entry.wordings)]

    @cached_property
    def title(self) -> Reading:
        return self.wording(self.entry.question)

    @cached_property
    def sides(self) -> Sequence[Sides]:
        return [reading.sides for reading in self.wordings]

    @cached_property
    def answer_sides(self) -> Sides:
        return sides_in("\n".join((self.entry.answer, *self.entry.variants, *self.entry.variants.values())))

    @cached_property
    def quantities(self) -> Sequence[Sequence[Quantity]]:
        return [reading.figures.quantities for reading in self.wordings]

    @cached_property
    def years(self) -> frozenset[str]:
        """Of the wordings, the answer and its cases."""
        entry = self.entry
        texts = (*entry.wordings, entry.answer, *entry.variants, *entry.variants.values())
        return frozenset(q.value for text in texts for q in read_figures(text).quantities if q.dimension == "year")

    @cached_property
    def denials(self) -> Sequence[Denials]:
        return [reading.denials for reading in self.wordings]

    @cached_property
    def codes(self) -> frozenset[str]:
        """Of the wordings, the answer and its cases."""
        entry = self.entry
        answers = (read_figures(text).codes for text in (entry.answer, *entry.variants, *entry.variants.values()))
        return frozenset(code for codes in (*self._wording_codes(), *answers) for code in codes)

    def _wording_codes(self) -> Iterator[Codes]:
        yield from (reading.figures.codes for reading in self.wordings)
        # Synonyms of a wording's words are known to the entry, too: wfh where it says 居家办公.
        yield from (read_codes(reading.unified)[0] for reading in self.wordings)

    @cached_property
    def text(self) -> str:
        """All texts in a row."""
        entry = self.entry
        readings = self.wordings
        texts = (*(r.plain for r in readings), *(r.unified for r in readings), entry.answer, *entry.variants)
        return "\n".join((*texts, *entry.variants.values()))

    @cached_property
    def sound(self) -> str:
        return sound_of(self.text)

    @cached_property
    def plains(self) -> frozenset[str]:
        return frozenset(map(bare, self.entry.wordings))

    def knows(self, word: str) -> bool:
        """Return True if some text has a word or one that sounds like it."""
        return word in self.text or sound_of(word) in self.sound

    def has_wording_with(self, text: str) -> bool:
        return any(text in reading.unified for reading in self.wordings)

    @cached_property
    def initials(self) -> str:
        return initials_of(reading.plain for reading in self.wordings)

    @cached_property
    def cases(self) -> Subjects:
        return merged(map(subjects_in, self.entry.variants))

    @cached_property
    def subjects(self) -> Subjects:
        """Of the wordings, the answer and its cases."""
        entry = self.entry
        answers = map(subjects_in, (entry.answer, *entry.variants, *entry.variants.values()))
        return merged((*(reading.subjects for reading in self.wordings), *answers))


class DifferenceFinder:
    """Compares questions with `entries`, whose texts it reads once, when they are compared first.

    Safe to use from any thread.
    """

    def __init__(self, entries: Sequence[Entry], synonyms: Synonyms) -> None:
        self._synonyms = synonyms
        # The entry by the hash of each wording, bare of punctuation.
        self._owners = {hash(bare(wording)): entry.id for entry in entries for wording in entry.wordings}
        self._readings: dict[str, _EntryReading] = {}
        # The word lists are loaded here, so that the first question need not wait for them.
        load_word_lists()

    def read(self, text: str, plain: str = "", unified: str = "") -> Reading:
        """Take a question apart once, for all comparisons with it; `plain` and `unified` are its forms, if known."""
        if not plain or not unified:
            return read_text(text, self._synonyms)
        return Reading(text, plain, unified)

    def differences(self, question: Reading, wording: str, entry: Entry) -> tuple[Difference, ...]:
        """List what a question says otherwise than `wording`, the wording of the entry that matched it best.

        What another wording of the entry says as the question does is no difference.
        """
        known = self._reading_of(entry)
        matched = known.wording(wording)
        if question.plain == matched.plain:
            return ()
        found = dict.fromkeys(_all_differences(question, matched, known))
        return tuple(found or self._said_elsewhere(question, matched, known))

    def _said_elsewhere(self, question: Reading, wording: Reading, entry: _EntryReading) -> Iterator[Difference]:
        """Find the piece of a question with which the wording would be that of another entry: there, it decides."""
        if ratio(question.plain, wording.plain) < _MIN_SIMILARITY_TO_ALIGN:
            return
        for asked, written, substituted in substitutions(question.plain, wording.plain):
            owner = self._owners.get(hash(substituted))
            if owner not in (None, entry.entry.id) and substituted not in entry.plains:
                yield Difference(DifferenceKind.SERIES, asked, written)

    def _reading_of(self, entry: Entry) -> _EntryReading:
        known = self._readings.get(entry.id)
        if known is None or known.entry is not entry:
            known = self._readings[entry.id] = _EntryReading(entry, self._synonyms)
        return known


def _all_differences(question: Reading, wording: Reading, entry: _EntryReading) -> Iterator[Difference]:
    """Find what differs, kind by kind. Only what the question has is looked for in the texts of the entry, because
    reading them takes long."""
    if quantities := question.figures.quantities:
        yield from quantity_differences(quantities, wording.figures.quantities, entry.quantities)
        if any(quantity.dimension == "year" for quantity in quantities):
            yield from year_differences(quantities, wording.figures.quantities, entry.years)
    if question.figures.codes:
        # A Latin word that is another one's synonym is no name: wfh where 居家办公 is known.
        own = question.figures.codes.items()
        codes = {code: words for code, words in own if not code.isalpha() or code in question.unified}
        yield from code_differences(question.plain, codes, wording.figures.codes, entry.codes, entry.initials)
    similarity = ratio(question.unified, wording.unified)
    if question.denials.denied or wording.denials.denied:
        similar = similarity >= _MIN_SIMILARITY_TO_DENY
        yield from denial_differences(question.denials, wording.denials, entry.denials, similar)
    if question.sides:
        yield from side_differences(question.sides, wording.sides, entry.title.sides, entry.sides, entry.answer_sides)
    if question.order.times or question.order.parties:
        yield from order_differences(question.order, wording.order)
    if swapped := swapped_words(question.plain, wording.plain):
        yield Difference(DifferenceKind.DIRECTION, "…".join(swapped), "…".join(reversed(swapped)))
    if question.names.persons or question.names.companies:
        yield from name_differences(question.names, wording.names, entry.text)
    if question.members:
        yield from family_differences(question.members, wording.members, entry.text, entry.sound)
    least = _MIN_SIMILARITY_OF_SHORT if len(question.unified) < _SHORT else _MIN_SIMILARITY_TO_ALIGN
    if least <= similarity < 100:
        yield from _word_differences(question, wording, entry)
    if question.subjects.names_any:
        yield from subject_differences(
            question.subjects, wording.subjects, entry.title.subjects, entry.subjects, entry.cases
        )


def _word_differences(question: Reading, wording: Reading, entry: _EntryReading) -> Iterator[Difference]:
    """Find the words in the place of others that are no words for the same side of a matter, and no places."""
    judged = [word for side, word in question.sides.items() if side in wording.sides]
    for difference in word_differences(question.unified, wording.unified, entry.knows):
        if not _overlaps(difference.asked, (*judged, *question.subjects.places)):
            yield difference
    for difference in replaced_differences(question.unified, wording.unified, entry.has_wording_with):
        if not _overlaps(difference.asked, question.subjects.places):
            yield difference


def _overlaps(text: str, words: Iterable[str]) -> bool:
    return any(text in word or word in text for word in words)


def opposed(text: str, wording: str, entry: Entry) -> bool:
    """Return True if a question says something otherwise than a wording of an entry, whatever else is known."""
    return bool(differences_between(text, wording, entry))


def differences_between(text: str, wording: str, entry: Entry) -> tuple[Difference, ...]:
    """List what a question says otherwise than a wording of an entry, whatever else is known."""
    finder = _finder()
    return finder.differences(finder.read(text), wording, entry)


def apart(text: str, other: str) -> bool:
    """Return True if two folded texts stand on different sides of a matter, so that one says nothing on the other."""
    return sides_apart(sides_in(text), sides_in(other))


@cache
def _finder() -> DifferenceFinder:
    return DifferenceFinder((), Synonyms(builtin_synonyms().groups))
