"""Case vocabulary: the names of the cases of all entries that ask back, to read what askers state. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from faqbot.dialogue.case_mentions import (
    CaseMention,
    Stance,
    case_mentions,
    is_one_clause,
    says_only_cases,
    stated_kind,
)
from faqbot.dialogue.case_names import CaseNames
from faqbot.model.conversation import Fact, NamedCase, Slot
from faqbot.search.index import Index


@dataclass(frozen=True, slots=True)
class CaseVocabulary:
    """The names of the cases of all entries that ask back. `by_entry` pairs them with the name of the entry's slot."""

    by_entry: tuple[tuple[str, CaseNames], ...]
    words: tuple[str, ...]
    has_places: bool

    @classmethod
    def of(cls, index: Index) -> CaseVocabulary:
        """Read the vocabulary of an index, once for each."""
        known = _VOCABULARIES.get(index)
        if known is None:
            by_entry = tuple((entry.ask.name, CaseNames.of(entry)) for entry in index.entries if entry.ask)
            words = tuple(dict.fromkeys(word for _, names in by_entry for word in names.by_word))
            known = _VOCABULARIES[index] = cls(by_entry, words, any(names.places for _, names in by_entry))
        return known

    def mentions(self, text: str) -> tuple[CaseMention, ...]:
        return case_mentions(text, self.words, with_places=self.has_places)

    def states_only_cases(self, text: str) -> bool:
        """Return True if a text says nothing but which cases hold, or of which kind of them its speaker is."""
        if says_only_cases(text, self.words, with_places=self.has_places):
            return True
        word = stated_kind(text) if is_one_clause(text) else ""
        return bool(word) and any(names.case_of_kind(word) for _, names in self.by_entry)

    def named_cases(self, text: str) -> tuple[NamedCase, ...]:
        """List the cases that a question names, for when its answer is picked from a list."""
        return tuple(NamedCase(mention.name, mention.is_usable) for mention in self.mentions(text))

    def facts(self, text: str) -> tuple[Fact, ...]:
        """List what speakers state about themselves; a fact that is stated in two ways is left out."""
        own = [mention for mention in self.mentions(text) if mention.stance is Stance.OWN]
        found = [fact for mention in own for fact in self.facts_of(mention)]
        if word := stated_kind(text):
            found += (Fact(name, word) for name, names in self.by_entry if not own and names.case_of_kind(word))
        return _unambiguous(found)

    def facts_of(self, mention: CaseMention) -> tuple[Fact, ...]:
        """List the slots that a case fills: all whose cases have its word, or are places as it is."""
        facts: list[Fact] = []
        for name, names in self.by_entry:
            if mention.place and names.places:
                facts.append(Fact(name, mention.name))
            elif mention.word in names.by_word:
                facts.append(Fact(name, names.by_word[mention.word]))
        return tuple(dict.fromkeys(facts))

    def denied(self, text: str, slots: Iterable[Slot]) -> tuple[Fact, ...]:
        """List the facts that speakers stated before and now deny, with an empty value: 上海 after 我不在上海了."""
        denied = {m.name for m in self.mentions(text) if m.stance is Stance.RULED_OUT}
        return tuple(Fact(slot.name, "") for slot in slots if slot.value and slot.value in denied)


def _unambiguous(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    values: dict[str, set[str]] = {}
    for fact in facts:
        values.setdefault(fact.name, set()).add(fact.value)
    return tuple(Fact(name, value) for name, (value, *others) in values.items() if not others)


# By index, as long as it is used.
_VOCABULARIES: WeakKeyDictionary[Index, CaseVocabulary] = WeakKeyDictionary()
