"""Dialogue manager: interpret messages as commands or decisions, with batched searches. Pure."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import date
from itertools import islice
from typing import NamedTuple

from faqbot.dialogue.answer_policy import ask_for_subject, decide_on_ranking
from faqbot.dialogue.case_statements import reply_to_statement
from faqbot.dialogue.choices import is_pick, picked_decision, refused_list
from faqbot.dialogue.command_parser import parse_command
from faqbot.dialogue.completion import complete
from faqbot.dialogue.decision_context import DecisionContext, DecisionRequest, Knowledge
from faqbot.dialogue.english_questions import on_english
from faqbot.dialogue.follow_up import contact_told, read_follow_up
from faqbot.dialogue.likely_answer import parse_reaction
from faqbot.dialogue.main_question import Judged
from faqbot.dialogue.person_request import continued_request
from faqbot.dialogue.query_rewriting import rewrite
from faqbot.dialogue.ratings import parse_rating
from faqbot.dialogue.same_question import same_answer
from faqbot.dialogue.slot_filling import answer_by_implied_case, answer_by_named_case, names_pending_case
from faqbot.dialogue.small_talk import small_talk
from faqbot.dialogue.stray_commands import stray_command
from faqbot.language.english import in_chinese, is_english_question
from faqbot.language.sentence_splitting import asks
from faqbot.model.commands import Command, CommandKind, Interpretation
from faqbot.model.decisions import Answered, AskedBack, Decision, Unanswered
from faqbot.model.entries import Candidate
from faqbot.model.group_settings import NO_GROUPS, Groups
from faqbot.model.messages import MessageKind
from faqbot.model.plain_replies import Menu, SmallTalk, SmallTalkKind
from faqbot.search.arrays import Floats
from faqbot.search.index import Index, SearchQuery
from faqbot.search.thresholds import Thresholds

_MAX_CACHED_RANKINGS = 2000

RankedCandidates = Sequence[Candidate]


class TextQuery(NamedTuple):
    """A text to search for, with its embedding if there is one."""

    text: str
    embedding: Floats | None = None


# Interprets one message. It yields the queries to search for and is sent their rankings.
Interpreting = Generator[Sequence[TextQuery], Sequence[RankedCandidates], Interpretation]


class _SearchKey(NamedTuple):
    """Two searches with the same key have the same ranking.

    The text determines its embedding, so the key only notes that there is one.
    """

    text: str
    visibility: object
    has_embedding: bool


class RankingCache:
    """Rankings of the last searches with one index: many people ask the same."""

    def __init__(self) -> None:
        self._rankings: dict[_SearchKey, RankedCandidates] = {}
        self._index: Index | None = None

    def prepare(self, index: Index) -> None:
        """Empty the cache if the index was replaced; drop the older half if it is full."""
        if self._index is not index:
            self._rankings, self._index = {}, index
        elif len(self._rankings) > _MAX_CACHED_RANKINGS:
            # The newer half holds what the batch before this one searched for.
            self._rankings = dict(islice(self._rankings.items(), _MAX_CACHED_RANKINGS // 2, None))

    def search(self, index: Index, searches: Sequence[tuple[DecisionContext, TextQuery]]) -> None:
        """Search at once for all queries whose ranking is not known yet."""
        missing = {
            key: SearchQuery(query.text, context.answerable, query.embedding)
            for context, query in searches
            if (key := _key(context, query)) not in self._rankings
        }
        self._rankings.update(zip(missing, index.search_batch(list(missing.values())), strict=True))

    def ranking(self, context: DecisionContext, query: TextQuery) -> RankedCandidates:
        return self._rankings[_key(context, query)]


def _key(context: DecisionContext, query: TextQuery) -> _SearchKey:
    return _SearchKey(query.text, context.visibility, query.embedding is not None)


def decide(request: DecisionRequest, index: Index, *, limits: Thresholds, now: float, today: date) -> Interpretation:
    """Interpret one message. `now` is in epoch seconds and decides which parts of the dialogue state still hold."""
    return decide_many([request], index, limits=limits, now=now, today=today)[0]


def decide_many(
    requests: Sequence[DecisionRequest],
    index: Index,
    *,
    limits: Thresholds,
    now: float,
    today: date,
    cache: RankingCache | None = None,
    groups: Groups = NO_GROUPS,
    limits_by_meaning: Thresholds | None = None,
) -> list[Interpretation]:
    """Interpret several messages at once; the result has their order. `cache` is filled with the new rankings.

    `limits_by_meaning` hold for messages with an embedding.
    """
    cache = cache or RankingCache()
    cache.prepare(index)
    knowledge = Knowledge(index, limits, groups, today, limits_by_meaning)
    contexts = [DecisionContext.of(request, knowledge, now) for request in requests]
    running = [_interpret(context) for context in contexts]
    results: dict[int, Interpretation] = {}
    waiting: dict[int, Sequence[TextQuery]] = {}

    def advance(n: int, rankings: Sequence[RankedCandidates] | None) -> None:
        try:
            waiting[n] = next(running[n]) if rankings is None else running[n].send(rankings)
        except StopIteration as stop:
            results[n] = stop.value

    for n in range(len(requests)):
        advance(n, None)
    while waiting:
        batch, waiting = waiting, {}
        cache.search(index, [(contexts[n], query) for n, queries in batch.items() for query in queries])
        for n, queries in batch.items():
            advance(n, [cache.ranking(contexts[n], query) for query in queries])
    return [results[n] for n in range(len(requests))]


def _interpret(context: DecisionContext) -> Interpreting:
    """Interpret one message, step by step. It stops at each `yield` until the searches of all messages were made."""
    text = context.message.text
    interpretation = _without_search(context)
    if isinstance(interpretation, Command):
        return interpretation
    if interpretation is not None:
        return complete(context, interpretation)
    query = TextQuery(text, context.embedding)
    (ranking,) = yield [query]
    decision = answer_by_implied_case(context, _decide(context, query, ranking))
    rewrites = rewrite(text, decision, context.index.fold)
    # Of several questions in one message each has its own context.
    follow_up = None if rewrites and rewrites.parts else read_follow_up(context)
    searched = (*(rewrites.texts if rewrites else ()), *(follow_up.texts if follow_up else ()))
    queries = [TextQuery(rewritten) for rewritten in dict.fromkeys(searched)]
    rankings = (yield queries) if queries else ()
    judged = {q.text: Judged(_decide(context, q, r), r) for q, r in zip(queries, rankings, strict=True)}
    if rewrites:
        decisions = {rewritten: one.decision for rewritten, one in judged.items()}
        decision = rewrites.resolve(text, decision, decisions, context.index.fold)
    if follow_up:
        decision = follow_up.resolve(decision, judged)
    if context.index.script == "han" and is_english_question(text):
        queries = [TextQuery(words)] if (words := in_chinese(text)) else []
        rankings = (yield queries) if queries else ()
        decision = on_english(decision, [_decide(context, q, r) for q, r in zip(queries, rankings, strict=True)])
    elif isinstance(decision, Unanswered) and not decision.asked:
        decision = ask_for_subject(text, context.index, context.listable) or decision
    if context.had_insult and _finds_nothing(decision) and not asks(text):
        # An insult that leaves some words behind, such as 什么破公司, is no question that HR should answer.
        decision = SmallTalk(SmallTalkKind.COMPLAINT)
    return complete(context, decision)


def _without_search(context: DecisionContext) -> Interpretation | None:
    """Interpret a message that asks nothing: picture, command, small talk, pick from list, reply to a question back."""
    message, state, index = context.message, context.state, context.index
    if message.kind not in (MessageKind.TEXT, MessageKind.VOICE):
        return SmallTalk(SmallTalkKind.NOT_HEARD if message.kind is MessageKind.AUDIO else SmallTalkKind.NOT_TEXT)
    if continued := continued_request(context):
        return continued
    if names_pending_case(context) and (answer := answer_by_named_case(context)):
        return answer
    reaction = (
        parse_reaction(context)
        or refused_list(context)
        or parse_command(message)
        or parse_rating(message.text, state.last_answer)
        or stray_command(message.text, context.sound, is_admin=context.is_admin)
    )
    if reaction and not index.has_wording(message.text):
        return _answer_told(context, reaction) or reaction
    # 是的 may be a case of the question back.
    is_pending = context.pending_entry is not None and not state.answered_since_asked_back
    if is_pending and not is_pick(message.text) and (answer := answer_by_named_case(context)):
        return answer
    return (
        same_answer(context)
        or small_talk(message.text, index, context.listable)
        or picked_decision(context)
        or reply_to_statement(context)
        or answer_by_named_case(context)
    )


def _answer_told(context: DecisionContext, reaction: Interpretation) -> Decision | None:
    """Return the answer to 找谁 where the last answer names somebody; the command would name who keeps the entry."""
    asks_whom = isinstance(reaction, Command) and reaction.kind is CommandKind.KEEPER and "找" in context.message.text
    return contact_told(context) if asks_whom else None


def _finds_nothing(decision: Decision) -> bool:
    """Return True if a text is of no entry by itself, but at most by the topic of what was said before."""
    match decision:
        case Unanswered() | AskedBack(unclear=True) | Menu(unspecific=True) | Answered(is_follow_up=True):
            return True
        case _:
            return False


def _decide(context: DecisionContext, query: TextQuery, ranking: RankedCandidates) -> Decision:
    limits = context.knowledge.limits_for(query.embedding)
    return decide_on_ranking(query.text, ranking, context.index, context.listable, limits)
