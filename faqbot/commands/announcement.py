"""Command 公告: show an announcement to robots or groups, and send it after 确认."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from faqbot.access.authorization import refusal
from faqbot.markup.blocks import line_breaks, send_word
from faqbot.model.commands import Command, CommandResult
from faqbot.model.messages import Message
from faqbot.model.notices import Address, Notice
from faqbot.outbox.outbox import Outbox
from faqbot.rules.definitions import Automations
from faqbot.store.json_records import from_json, to_json
from faqbot.store.protocol import NoteStore

_TO_AND_TEXT = re.compile(r"([^:：\n]{1,200})[:：]\s*(\S.*)", re.DOTALL)
# An announcement can be confirmed for ten minutes.
_CONFIRMABLE_SECONDS = 600.0
_HERE = ("本群", "这个群", "这里")
_CONVERSATION = re.compile(r"cid\S{8,}")


@dataclass(frozen=True, slots=True)
class _PendingAnnouncement:
    """An announcement that was shown; `settled_by` is the key of the message that sent or cancelled it."""

    id: str
    to: tuple[Address, ...]
    text: str
    settled_by: str = ""


class AnnouncementCommands:
    """Handles 公告, 确认 and 取消. One announcement waits per person and conversation."""

    def __init__(
        self, outbox: Outbox, notes: NoteStore, automations: Callable[[], Automations], admins: Collection[str]
    ) -> None:
        self._outbox = outbox
        self._notes = notes
        self._automations = automations
        self._admins = admins

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        if no := refusal(message, self._admins, "发公告"):
            return no
        to, text = self._parse(message, command.text)
        if not to:
            robots = "、".join(self._automations().robots)
            known = f"可以写的机器人：{robots}。" if robots else "automations.yaml 里还没有群机器人。"
            return CommandResult(
                "发到哪里？",
                f"请写明发到哪里，例如「公告 机器人名：内容」；几个就用顿号隔开，「本群」是现在这个群。{known}",
            )
        await self._put(message, _PendingAnnouncement(message.key, tuple(to), text))
        where = "、".join("本群" if a.id == message.conversation_id else a.id for a in to)
        return CommandResult(
            "请确认公告",
            f"这条公告会发到：**{where}**，内容是：\n\n{line_breaks(text)}\n\n"
            f"10 分钟内{send_word('确认', message)}就发出，{send_word('取消', message)}就不发。",
        )

    async def confirm(self, message: Message) -> CommandResult | None:
        """Send the announcement that waits; None if there is none."""
        waiting = await self._waiting(message)
        # The confirming message may be handled again after a crash; the keys of the notices prevent a second sending.
        if waiting is None or waiting.settled_by not in ("", message.key):
            return None
        notices = [Notice(f"announce:{waiting.id}:{to.id}", to, "公告", line_breaks(waiting.text)) for to in waiting.to]
        await self._outbox.post(*notices)
        await self._put(message, replace(waiting, settled_by=message.key))
        return CommandResult("公告已发", f"公告已发出，共 {len(notices)} 处。")

    async def cancel(self, message: Message, command: Command) -> CommandResult:
        """Drop the announcement that waits."""
        waiting = await self._waiting(message)
        if waiting is None or waiting.settled_by not in ("", message.key):
            return CommandResult("没有要取消的", "没有等您确认的公告。")
        await self._put(message, replace(waiting, settled_by=message.key))
        return CommandResult("已取消", "公告没有发出。")

    def _parse(self, message: Message, text: str) -> tuple[list[Address], str]:
        """Split the command's text into addresses and announcement; no addresses if they are not clear."""
        if match := _TO_AND_TEXT.fullmatch(text):
            names = [name for name in re.split(r"[、,，\s]+", match[1].strip()) if name]
            to = [self._address(message, name) for name in names]
            known = [address for address in to if address is not None]
            if known and len(known) == len(to):
                return list(dict.fromkeys(known)), match[2].strip()
        robots = list(self._automations().robots)
        return ([Address("robot", robots[0])] if len(robots) == 1 else []), text

    def _address(self, message: Message, name: str) -> Address | None:
        if name in self._automations().robots:
            return Address("robot", name)
        if name in _HERE and message.is_group:
            return Address("group", message.conversation_id)
        return Address("group", name) if _CONVERSATION.fullmatch(name) else None

    async def _waiting(self, message: Message) -> _PendingAnnouncement | None:
        text = await self._notes.note(f"announce:{message.partition_key}")
        return from_json(_PendingAnnouncement, text) if text else None

    async def _put(self, message: Message, waiting: _PendingAnnouncement) -> None:
        text = to_json(waiting)
        await self._notes.put_note(f"announce:{message.partition_key}", text, _CONFIRMABLE_SECONDS)
