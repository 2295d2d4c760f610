"""Introducing the bot to a group, once: below its first reply there, as no message says that it was added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from faqbot.access.privacy import private_entry
from faqbot.access.visibility import listable
from faqbot.dialogue.topic_menu import menu_of
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.markup.blocks import label
from faqbot.model.decisions import (
    Answered,
    AskedBack,
    Decision,
    Menu,
    MultiAnswer,
    Offered,
    SmallTalk,
    SmallTalkKind,
    Unanswered,
)
from faqbot.model.entries import Entry
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.messages import Message
from faqbot.store.protocol import LEASE_PREFIX, Steady, Store

# A group that was introduced to is not again.
_FOR_EVER = 20 * 365 * 86400.0
# Longer than a reply is under way.
_UNDER_WAY_SECONDS = 600.0
_EXAMPLES, _TOPICS, _OWNERS = 3, 6, 3


class GroupIntroduction:
    def __init__(
        self, library: KnowledgeBase, store: Store, steady: Steady, *, keep_days: int, today: Callable[[], date]
    ) -> None:
        self._library = library
        self._store = store
        self._steady = steady
        self._keep_days = keep_days
        self._today = today
        # Most messages come from groups that know the bot.
        self._known: set[str] = set()

    async def due(self, message: Message, decision: Decision) -> str:
        """What to add below this reply; nothing where the group knows the bot, or another reply tells it just now."""
        key = _key(message)
        if not message.is_group or key in self._known or not _fits(decision):
            return ""
        text = self._introduction(message, below_menu=isinstance(decision, Menu))
        if not text:
            return ""
        if await self._steady(lambda: self._store.note(key)) is not None:
            self._known.add(key)
            return ""
        return text if await self._steady(lambda: self._store.claim(LEASE_PREFIX + key, _UNDER_WAY_SECONDS)) else ""

    async def settle(self, message: Message, *, delivered: bool) -> None:
        """After the reply with the introduction: never again, or with the next reply."""
        key = _key(message)
        if delivered:
            self._known.add(key)
            await self._steady(lambda: self._store.put_note(key, "1", _FOR_EVER))
        else:
            await self._steady(lambda: self._store.release(LEASE_PREFIX + key))

    def _introduction(self, message: Message, *, below_menu: bool) -> str:
        snapshot = self._library.current
        # Everybody in the group reads it, so it names only what is for everybody.
        listed = listable(message, self._today(), (), snapshot.groups)
        entries = [entry for entry in snapshot.index.entries if listed(entry)]
        contact = snapshot.groups.of(message.conversation_id).contact
        return introduction(entries, contact, self._keep_days, below_menu=below_menu)


def introduction(entries: Sequence[Entry], contact: str, keep_days: int, *, below_menu: bool = False) -> str:
    """What the bot answers and three examples, where no menu above says so, who keeps it, what it records; empty where
    there is nothing to answer."""
    if not entries:
        return ""
    topics = menu_of(entries).topics
    names = "、".join(label(name) for name, _, _ in topics[:_TOPICS])
    examples = "".join(f"「@我 {label(question)}」" for question in _examples(entries, [t[2] for t in topics]))
    named = (entry.owner.strip() for entry in entries)
    owners = Counter(owner for owner in named if owner and not looks_like_userid(owner))
    keepers = "、".join(label(name) for name, _ in owners.most_common(_OWNERS))
    told = [
        f"**能答**：{names}{'等' if len(topics) > _TOPICS else ''}，共 {len(entries)} 个问题，都是同事写好的原话",
        f"**这样问**：{examples}",
    ]
    lines = [
        *([] if below_menu else told),
        f"**谁维护**：{keepers}{'等' if len(owners) > _OWNERS else ''}" if keepers else "",
        f"**要找人**：{label(contact.strip())}" if contact.strip() and not looks_like_userid(contact.strip()) else "",
        f"**会记录**：@我 的问题和提问人，保留 {keep_days} 天，用来补全答案；没有 @我 的话我看不到，私事请单聊",
    ]
    return "\n\n**第一次在这个群里说话，介绍一下自己**\n\n" + "\n".join(f"- {line}" for line in lines if line)


def _examples(entries: Sequence[Entry], firsts: Sequence[str]) -> Sequence[str]:
    """Real questions, of as many topics as there are."""
    others = (entry.question for entry in entries)
    return list(dict.fromkeys((*firsts[:_EXAMPLES], *others)))[:_EXAMPLES]


def _fits(decision: Decision) -> bool:
    """Whether there is room below it: not where something is private, was ordered or went wrong."""
    match decision:
        case Answered() | AskedBack() | MultiAnswer() | Offered() | Unanswered():
            return private_entry(decision) is None
        case Menu() | SmallTalk(SmallTalkKind.GREETING):
            return True
        case _:
            return False


def _key(message: Message) -> str:
    return f"welcome:{message.robot_code}|{message.conversation_id}"
