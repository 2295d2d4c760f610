"""Follow-ups: resolve a short question about the last answer or list, by another entry of the same subject or by the
sentences of that answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from faqbot.dialogue.answer_policy import MAX_OFFERED, as_guess
from faqbot.dialogue.clarification import case_of_value, mentions_for, without_cases_of
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.ellipsis import mentions_own_words, sure_answer
from faqbot.dialogue.main_question import Judged
from faqbot.dialogue.slot_filling import with_case
from faqbot.language.aspects import DetailQuestion, as_written
from faqbot.language.follow_ups import (
    MAX_FOLLOW_UP_CHARS,
    expansions,
    leads_on,
    needs_subject,
    own_words,
    without_asking,
    without_lead_in,
)
from faqbot.language.normalize import normalise, strip_fillers
from faqbot.language.sentence_splitting import asks, main_question
from faqbot.language.small_talk_words import is_unspecific, without_unspecific
from faqbot.model.decisions import Answered, Decision, Likely, Offered, Unanswered
from faqbot.model.entries import Candidate, Entry

# The first lines of a list that a follow-up may be about; more searches would only cost time.
_MAX_LISTED = 3
# More sentences than this are no reply to a short question; the answer is shown whole.
_MAX_SENTENCES = 3
# A text names no subject of its own with so few characters beside those that ask, or beside those that lean on one.
_MAX_OWN_CHARS, _MAX_LEANING_CHARS = 2, 4
# Characters of a word that make two questions have a subject in common.
_SUBJECT_CHARS = 2
_BOT = re.compile("[你您](?!们)|机器人")


@dataclass(frozen=True, slots=True)
class Topic:
    """The entries that the bot named last: the one that it answered with, or the first of those that it listed.

    question: HR's wording that matched the last answer; empty after a list.
    """

    entries: tuple[Entry, ...]
    question: str = ""

    @property
    def is_list(self) -> bool:
        return not self.question

    def has(self, entry: Entry) -> bool:
        return any(entry.id == known.id for known in self.entries)

    def wordings(self, entry: Entry) -> tuple[str, ...]:
        """Return the wordings of one of the entries that tell what was spoken of."""
        return tuple(dict.fromkeys(filter(None, (self.question, entry.question))))


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A short text that may be about the topic.

    own: the words that it adds, folded: 折现 of 可以折现吗; none in 怎么申请.
    texts: the full questions that it may stand for, which are to be searched for.
    """

    context: DecisionContext
    text: str
    topic: Topic
    own: tuple[str, ...]
    texts: tuple[str, ...]

    def resolve(self, alone: Decision, judged: Mapping[str, Judged]) -> Decision:
        """Decide from the decision on the text alone and those on each of `texts`.

        Another entry of the same subject comes first, then what the text says alone, then the sentences of the same
        entry; words that name a subject of their own are no follow-up, however short.
        """
        if not isinstance(alone, Answered | Likely | Offered | Unanswered):
            return alone
        full = [judged[text] for text in self.texts]
        fold = self.context.index.fold
        answer = sure_answer(self.text, (one.decision for one in full), fold, self._is_near)
        if answer and (self.topic.is_list or not self.topic.has(answer.entry)):
            is_same = isinstance(alone, Answered) and alone.entry.id == answer.entry.id
            return alone if is_same else answer
        if isinstance(alone, Answered) and self.own:
            is_topic = self.topic.has(alone.entry) and not self.topic.is_list
            return (self.from_same_entry() if is_topic else None) or answer or alone
        if only := self._only_line():
            return only
        if self.topic.is_list and self._is_listed_for(alone):
            return alone
        about_own_words = self._about_own_words(alone)
        guess = self._guess(full)
        if self.topic.is_list and guess:
            return guess
        is_question_itself = about_own_words is not None and self._asks_detail
        if not is_question_itself and (same_entry := self.from_same_entry()):
            return same_entry
        if answer:
            return answer
        if isinstance(alone, Likely) and self.own:
            is_named = self._words_own(alone.entry) or self._is_near(alone.entry) or self._own_chars > _MAX_OWN_CHARS
            names_other = not self._leans or (guess is None and is_named)
            return alone if names_other else guess or self._not_found(alone)
        return guess or about_own_words or self._not_found(alone)

    @property
    def _own_chars(self) -> int:
        """The number of characters with which the text says what it is about."""
        return sum(map(len, without_unspecific(own_words(self.text)))) if self.own else 0

    @property
    def _leans(self) -> bool:
        return leads_on(self.text) or needs_subject(self.text)

    @property
    def _asks_detail(self) -> bool:
        return bool(self._detail(self.topic.entries[0]).aspects)

    def _detail(self, entry: Entry) -> DetailQuestion:
        return DetailQuestion.read(self.text, self.topic.wordings(entry), self.context.index.fold)

    def from_same_entry(self) -> Answered | Offered | None:
        """Reply by the sentences of the answer that hold the reply; after a list, by the lines whose answers do."""
        holding = [answer for entry in self.topic.entries if (answer := self._excerpt(entry))]
        if len(holding) > 1:
            return Offered(tuple(Candidate(answer.entry, 0.0, answer.question) for answer in holding))
        return holding[0] if holding else None

    def _excerpt(self, entry: Entry) -> Answered | None:
        """Return the sentences of an entry's answer that hold the reply; None if there are none."""
        answer = self._as_shown(entry)
        if answer is None:
            return None
        every_case = "\n".join(entry.variants.values()) if entry.ask else entry.answer
        text = entry.variants.get(answer.case, every_case)
        sentences = self._detail(entry).sentences_in(text, self.context.index.fold)
        if not sentences:
            return None
        return replace(answer, excerpt="\n".join(sentences) if len(sentences) <= _MAX_SENTENCES else text)

    def _as_shown(self, entry: Entry) -> Answered | None:
        """Return the answer for the case that holds for the asker; None if they have to be asked for it."""
        context, last = self.context, self.context.state.last_answer
        is_last = last is not None and last.entry_id == entry.id
        score = last.score if last is not None and is_last else 0.0
        answer = Answered(entry, score, self.topic.question or entry.question, is_follow_up=True)
        if entry.ask and last is not None and is_last and not mentions_for(entry, context.message.text):
            case = case_of_value(entry, last.slot_value, context.sound) if last.slot_value else ""
            return replace(answer, case=case or "", slot_value=last.slot_value if case else "")
        by_case = with_case(context, answer, context.message.text)
        return by_case if isinstance(by_case, Answered) else None

    def _only_line(self) -> Answered | None:
        """Return the only line of the list that asks what the text asks, in its own words."""
        if not self.topic.is_list or not self.own:
            return None
        asking = [entry for entry in self.topic.entries if self._words_own(entry)]
        return Answered(asking[0], 0.0, asking[0].question, is_follow_up=True) if len(asking) == 1 else None

    def _guess(self, full: Sequence[Judged]) -> Likely | Offered | None:
        """Return the best guess that the full questions lead to among the other entries of the same subject."""
        likely = [one.decision for one in full if isinstance(one.decision, Likely)]
        if meant := [guess for guess in likely if self._asks_the_same_of(guess.entry)]:
            return max(meant, key=lambda guess: guess.score)
        found: dict[str, Candidate] = {}
        for judged in full:
            for candidate in judged.ranking:
                known = found.get(candidate.entry.id)
                if self._may_be_meant(candidate) and (known is None or known.score < candidate.score):
                    found[candidate.entry.id] = candidate
        candidates = sorted(found.values(), key=lambda c: -c.score)[:MAX_OFFERED]
        is_doubtful = len(candidates) == 1 and candidates[0].score < self.context.knowledge.limits.likely_at
        return as_guess(candidates) if candidates and not is_doubtful else None

    def _may_be_meant(self, candidate: Candidate) -> bool:
        """Return True for another entry of the same subject that has the text's own words in a wording."""
        entry = candidate.entry
        limits = self.context.knowledge.limits
        is_told = self.topic.has(entry) and not self.topic.is_list
        if is_told or max(candidate.score, candidate.listed) < limits.offer_at:
            return False
        return self._has_subject(entry) and self._words_own(entry)

    def _asks_the_same_of(self, entry: Entry) -> bool:
        """Return True for another entry of the same subject that tells the detail which the text asks for."""
        if self.topic.has(entry) or not self._has_subject(entry):
            return False
        wanted = self._detail(self.topic.entries[0]).aspects
        told = (DetailQuestion.read(one, (), self.context.index.fold).aspects for one in (entry.question, *entry.also))
        return any(aspect in wanted for aspects in told for aspect in aspects) or self._words_own(entry)

    def _words_own(self, entry: Entry) -> bool:
        """Return True if a wording of the entry asks what the text asks, in its own words."""
        fold = self.context.index.fold
        own = fold(own_words(self.text))
        return any(mentions_own_words(own, fold(wording)) for wording in (entry.question, *entry.also))

    def _is_near(self, entry: Entry) -> bool:
        """Return True if an entry is about the same thing, or HR related the two."""
        related = (entry.id in known.related or known.id in entry.related for known in self.topic.entries)
        return any(related) or self._has_subject(entry)

    def _has_subject(self, entry: Entry) -> bool:
        """Return True if an entry has a word in common with what the topic is about."""
        if self.topic.has(entry):
            return True
        fold, known = self.context.index.fold, self.topic.entries
        wordings = [fold(wording) for wording in (entry.question, *entry.also)]
        # What the lines of a list have in common is what it was about.
        subjects = set.intersection(*(_subjects(map(fold, self.topic.wordings(one))) for one in known))
        return any(subject in wording for subject in subjects for wording in wordings)

    def _is_listed_for(self, alone: Decision) -> bool:
        """Return True if the text alone leads to a list for its own words, as a question that is asked once more."""
        return isinstance(alone, Offered) and bool(self.own) and any(self._words_own(c.entry) for c in alone.candidates)

    def _about_own_words(self, alone: Decision) -> Offered | None:
        """Leave only the lines of a list that have the text's own words; None if none is about anything else."""
        tells_of_topic = needs_subject(self.text) and self._own_chars <= _MAX_OWN_CHARS
        if not isinstance(alone, Offered) or not self.own or tells_of_topic:
            return None
        listed = [c for c in alone.candidates if not c.differs and self._words_own(c.entry)]
        if not any(not self.topic.has(c.entry) for c in listed):
            return None
        return Offered(tuple(listed)) if len(listed) > 1 else alone

    def _not_found(self, alone: Decision) -> Decision:
        """Say that nothing tells this of the topic, where the text is too short to be about anything else."""
        is_detail = self._asks_detail and self._own_chars <= _MAX_OWN_CHARS
        is_bare = self._own_chars <= _MAX_LEANING_CHARS if self._leans else is_detail
        # A list for words of its own may be what is asked for.
        lists_own = isinstance(alone, Offered) and self.own and not self._leans
        if self.topic.is_list or isinstance(alone, Answered) or not is_bare or lists_own:
            return alone
        entry = self.topic.entries[0]
        about = f"{entry.question.rstrip('？?')}：{without_lead_in(self.text)}"
        # What is asked about a private entry must not be on record either.
        hidden = (Candidate(entry, 0.0, entry.question),) if entry.private else ()
        return Unanswered(asked=about, hidden=hidden)


def read_follow_up(context: DecisionContext) -> FollowUp | None:
    """Read the message as a follow-up to the last answer or list; None where it is longer or HR wrote it."""
    topic, index = topic_of(context), context.index
    text = main_question(context.message.text)
    if topic is None or index.has_wording(text) or not _may_follow(text):
        return None
    text = _without_cases(topic.entries[0], text)
    if not 0 < len(strip_fillers(normalise(text))) <= MAX_FOLLOW_UP_CHARS:
        return None
    wordings = dict.fromkeys((text, as_written(normalise(text))))
    texts = (full for entry in topic.entries for one in wordings for full in expansions(one, topic.wordings(entry)))
    asked = own_words(text)
    own = () if is_unspecific(asked) else tuple(index.fold(word) for word in without_unspecific(asked))
    return FollowUp(context, text, topic, own, tuple(dict.fromkeys(texts)))


def _without_cases(entry: Entry, text: str) -> str:
    """Leave the cases of the last answer out of a short follow-up: 杭州的二胎呢 asks 二胎呢 for 杭州."""
    rest = without_cases_of(entry, text) if entry.ask else text
    is_follow_up = rest.endswith("呢") or needs_subject(rest) or is_unspecific(rest)
    return rest if is_follow_up else text


def _may_follow(text: str) -> bool:
    """Return True for a text that asks, but not of the bot itself."""
    is_question = asks(text) or text.rstrip().endswith(("?", "？")) or leads_on(text) or needs_subject(text)
    return is_question and _BOT.search(text) is None


def contact_told(context: DecisionContext) -> Answered | None:
    """Return the sentences of the last answer that name whom to turn to; None if there are none."""
    follow_up = read_follow_up(context)
    reply = follow_up.from_same_entry() if follow_up else None
    return reply if isinstance(reply, Answered) else None


def topic_of(context: DecisionContext) -> Topic | None:
    """Return what the bot spoke of last, if its asker may still see it."""
    state = context.state
    last = state.last_answer
    if state.options and (last is None or state.options_expire_at > last.expires_at):
        keys, question = [option.key for option in state.options if option.kind == "entry"][:_MAX_LISTED], ""
    elif last is not None:
        keys, question = [last.entry_id], last.question
    else:
        return None
    entries = tuple(e for e in map(context.index.by_id.get, keys) if e is not None and context.listable(e))
    return Topic(entries, question) if entries else None


def _subjects(wordings: Iterable[str]) -> set[str]:
    """Return the pairs of characters of the words that say what the wordings are about."""
    words = [word for wording in wordings for word in without_asking(wording)]
    pairs = {word[n : n + _SUBJECT_CHARS] for word in words for n in range(len(word) - 1)}
    return {pair for pair in pairs if without_unspecific(pair)}
