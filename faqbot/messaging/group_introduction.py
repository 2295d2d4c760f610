"""Group introduction: introduce the bot once per group, below its first reply that is not long.

DingTalk sends no message when the bot is added to a group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from faqbot.access.visibility import listable
from faqbot.dialogue.topic_menu import build_menu
from faqbot.errors import ContentRefused, DeliveryError
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.markup.blocks import label
from faqbot.markup.screen_lines import screen_lines
from faqbot.messaging.pipeline import NextStage, Outcome, Turn
from faqbot.model.decisions import Answered, Likely, MultiAnswer
from faqbot.model.entries import Entry
from faqbot.model.group_settings import looks_like_userid
from faqbot.model.messages import Message
from faqbot.model.plain_replies import Menu
from faqbot.replies.render import render
from faqbot.store.protocol import LEASE_PREFIX, RetryUntilAvailable, Store

# A group is introduced to once, so the note of it is practically for ever.
_NOTE_SECONDS = 20 * 365 * 86400.0
# Sending a reply takes less time, so no second reply carries the introduction meanwhile.
_CLAIM_SECONDS = 600.0
# An answer of more lines fills the screen of a telephone together with the introduction.
_MAX_LINES_ABOVE = 10
# A group that gets long answers only is introduced to this long after the first one all the same, since it has to
# learn what is recorded.
_MAX_WAIT_SECONDS = 86400.0
_MAX_EXAMPLES, _MAX_TOPICS, _MAX_OWNERS = 3, 6, 3


class IntroduceToGroup:
    """Adds the introduction below a reply, not below a long answer, where the group does not know the bot yet."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        store: Store,
        retry: RetryUntilAvailable,
        *,
        keep_days: int,
        today: Callable[[], date],
        clock: Callable[[], float],
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._retry = retry
        self._keep_days = keep_days
        self._today = today
        self._clock = clock
        # Groups that know the bot; most messages come from these, and need no look into the store.
        self._known: set[str] = set()

    async def __call__(self, turn: Turn, proceed: NextStage) -> Outcome:
        key = f"welcome:{turn.message.robot_code}|{turn.message.conversation_id}"
        text = await self._claim(key, turn)
        if not text:
            return await proceed(turn)
        try:
            outcome = await proceed(replace(turn, footer=turn.footer + text))
        except ContentRefused:
            # It may be the introduction that was refused; the next answer must not be lost to it, too.
            await self._note_introduced(key)
            raise
        except DeliveryError:
            # The next reply carries it.
            await self._retry(lambda: self._store.release(LEASE_PREFIX + key))
            raise
        await self._note_introduced(key)
        return outcome

    async def _claim(self, key: str, turn: Turn) -> str:
        """Return the introduction; empty if the group knows the bot, or another reply carries it, now or later."""
        message, response = turn.message, turn.response
        if not message.is_group or key in self._known or not response.allows_introduction:
            return ""
        text = self._introduction(message, below_menu=isinstance(response, Menu))
        if not text:
            return ""
        if await self._retry(lambda: self._store.note(key)) is not None:
            self._known.add(key)
            return ""
        if _is_long_answer(turn) and await self._waits(f"later:{key}"):
            return ""
        return text if await self._retry(lambda: self._store.claim(LEASE_PREFIX + key, _CLAIM_SECONDS)) else ""

    async def _waits(self, key: str) -> bool:
        """Return True for a day from the first long answer on, whose time is noted."""
        now = self._clock()
        since = await self._retry(lambda: self._store.note(key))
        if since is None:
            await self._retry(lambda: self._store.put_note(key, str(now), _NOTE_SECONDS))
        return since is None or now < float(since) + _MAX_WAIT_SECONDS

    async def _note_introduced(self, key: str) -> None:
        self._known.add(key)
        await self._retry(lambda: self._store.put_note(key, "1", _NOTE_SECONDS))

    def _introduction(self, message: Message, *, below_menu: bool) -> str:
        snapshot = self._knowledge.current
        # Everybody in the group reads it, so it names only entries that everybody may see.
        listed = listable(message, self._today(), (), snapshot.groups)
        entries = [entry for entry in snapshot.index.entries if listed(entry)]
        contact = snapshot.groups.of(message.conversation_id).contact
        return introduction(entries, contact, self._keep_days, below_menu=below_menu)


def _is_long_answer(turn: Turn) -> bool:
    if not isinstance(turn.response, Answered | Likely | MultiAnswer):
        return False
    replies = render(turn.response, turn.message, turn.footer)
    return sum(screen_lines(reply.body) for reply in replies) > _MAX_LINES_ABOVE


def introduction(entries: Sequence[Entry], contact: str, keep_days: int, *, below_menu: bool = False) -> str:
    """Write the introduction: topics and three examples, unless a menu above names them; owners; the recorded data.

    Empty if there are no entries.
    """
    if not entries:
        return ""
    topics = build_menu(entries).topics
    topic_names = "、".join(label(name) for name, _, _ in topics[:_MAX_TOPICS])
    examples = "".join(f"「@我 {label(question)}」" for question in _examples(entries, [t[2] for t in topics]))
    owner_names = (entry.owner.strip() for entry in entries)
    owners = Counter(owner for owner in owner_names if owner and not looks_like_userid(owner))
    main_owners = "、".join(label(name) for name, _ in owners.most_common(_MAX_OWNERS))
    more_topics = "等" if len(topics) > _MAX_TOPICS else ""
    what_to_ask = [
        f"**能答**：{topic_names}{more_topics}，共 {len(entries)} 个问题，都是同事写好的原话",
        f"**这样问**：{examples}",
    ]
    lines = [
        *([] if below_menu else what_to_ask),
        f"**谁维护**：{main_owners}{'等' if len(owners) > _MAX_OWNERS else ''}" if main_owners else "",
        f"**要找人**：{label(contact.strip())}" if contact.strip() and not looks_like_userid(contact.strip()) else "",
        f"**会记录**：@我 的问题和提问人，保留 {keep_days} 天，用来补全答案；没有 @我 的话我看不到，私事请单聊",
    ]
    return "\n\n**第一次在这个群里说话，介绍一下自己**\n\n" + "\n".join(f"- {line}" for line in lines if line)


def _examples(entries: Sequence[Entry], first_of_topics: Sequence[str]) -> Sequence[str]:
    """Choose real questions, from as many topics as there are."""
    others = (entry.question for entry in entries)
    return list(dict.fromkeys((*first_of_topics[:_MAX_EXAMPLES], *others)))[:_MAX_EXAMPLES]
