"""Decision context: one message with its dialogue state, the asker's permissions, and the knowledge. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from faqbot.access.visibility import Allowed, answerable, listable
from faqbot.model.conversation import ConversationState, GroupAnswer, drop_expired
from faqbot.model.entries import Entry
from faqbot.model.group_settings import Groups, GroupSettings
from faqbot.model.messages import Message
from faqbot.search.arrays import Floats
from faqbot.search.index import Index
from faqbot.search.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A message to decide on.

    state: the dialogue state of its asker, if there is one.
    embedding: the embedding of its text, if there is one.
    departments: those of the asker with all their parents, if an entry is limited to departments.
    is_admin: the sender of the message may give orders.
    had_insult: an insult was taken out of the message.
    group_answer: what the group was answered last, for a message that asks for the same.
    """

    message: Message
    state: ConversationState | None = None
    embedding: Floats | None = None
    departments: frozenset[str] = frozenset()
    is_admin: bool = False
    had_insult: bool = False
    group_answer: GroupAnswer | None = None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The knowledge that is live when a batch is decided on, with the date by which entries are valid.

    limits_by_meaning: the thresholds for queries with an embedding; without them `limits` hold for all.
    """

    index: Index
    limits: Thresholds
    groups: Groups
    today: date
    limits_by_meaning: Thresholds | None = None

    def limits_for(self, embedding: Floats | None) -> Thresholds:
        """Return the thresholds for a query with this embedding."""
        return self.limits if embedding is None or self.limits_by_meaning is None else self.limits_by_meaning


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """One message with everything its decision depends on.

    answerable: tells which entries the asker may get as an answer.
    listable: tells which entries may be named where the message was written.
    visibility: the facts on which both depend; it is part of the key of a search.
    is_admin, had_insult, group_answer: as for DecisionRequest.
    """

    message: Message
    state: ConversationState
    embedding: Floats | None
    knowledge: Knowledge
    answerable: Allowed
    listable: Allowed
    visibility: tuple[str, frozenset[str] | None, date]
    is_admin: bool = False
    had_insult: bool = False
    group_answer: GroupAnswer | None = None

    @classmethod
    def of(cls, request: DecisionRequest, knowledge: Knowledge, now: float) -> DecisionContext:
        message, departments = request.message, request.departments
        index, groups, today = knowledge.index, knowledge.groups, knowledge.today
        conversation = message.conversation_id
        by_conversation = index.limited or groups.of(conversation).topics
        return cls(
            message=message,
            state=drop_expired(request.state, now),
            embedding=request.embedding,
            knowledge=knowledge,
            answerable=answerable(message, today, departments, groups),
            listable=listable(message, today, departments, groups),
            visibility=(conversation if by_conversation else "", departments if index.by_department else None, today),
            is_admin=request.is_admin,
            had_insult=request.had_insult,
            group_answer=request.group_answer,
        )

    @property
    def index(self) -> Index:
        return self.knowledge.index

    @property
    def group(self) -> GroupSettings:
        """The settings of the conversation that the message was written in."""
        return self.knowledge.groups.of(self.message.conversation_id)

    @property
    def pending_entry(self) -> Entry | None:
        """The entry whose question back the asker has not answered yet, if any."""
        return self.index.by_id.get(self.state.pending_entry_id)

    def sound(self, text: str) -> str:
        """Return the pronunciation of a text."""
        return self.index.sound_of(self.index.fold(text))
