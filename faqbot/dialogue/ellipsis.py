"""Ellipsis: choose the answer among those to the full questions that an elliptical text may stand for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from faqbot.differences.finder import opposed
from faqbot.language.aspects import as_written
from faqbot.language.follow_ups import own_words, without_asking
from faqbot.model.decisions import Answered, Decision
from faqbot.model.entries import Entry

Fold = Callable[[str], str]


def sure_answer(
    text: str, decisions: Iterable[Decision], fold: Fold, fits: Callable[[Entry], bool] = lambda entry: True
) -> Answered | None:
    """Return the one answer among the `decisions` on the full questions; None if there are several or none.

    It has to hold the text's own words, and to be of an entry that `fits`.
    """
    own = fold(as_written(own_words(text)))
    best_by_entry: dict[str, Answered] = {}
    for answer in decisions:
        if not isinstance(answer, Answered) or opposed(text, answer.question, answer.entry):
            continue
        if mentions_own_words(own, fold(answer.question)) and fits(answer.entry):
            best = best_by_entry.get(answer.entry.id)
            if best is None or answer.score > best.score:
                best_by_entry[answer.entry.id] = answer
    if len(best_by_entry) != 1:
        return None
    (answer,) = best_by_entry.values()
    return Answered(answer.entry, answer.score, answer.question, is_follow_up=True)


def mentions_own_words(own: str, wording: str) -> bool:
    """Return True if the wording that matched has own words of the text, not only those of the question before."""
    # It is not enough that both ask how: 怎么赔 is not 怎么用.
    return _holds_half(wording, [own]) and _holds_half(wording, without_asking(own))


def _holds_half(wording: str, words: Sequence[str]) -> bool:
    """Return True if half of the words' pairs of characters occur in the wording."""
    pairs = [pair for word in words for pair in ([word[n : n + 2] for n in range(len(word) - 1)] or [word])]
    return sum(pair in wording for pair in pairs) * 2 >= len(pairs)
