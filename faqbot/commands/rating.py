"""有用 / 没用: what an asker says about the last answer, and, where it was no help, why."""

from __future__ import annotations

from faqbot.access.privacy import withheld_topic
from faqbot.commands.last_answer import LastAnswers, none_yet
from faqbot.dialogue.choices import NONE_OF_THESE_TEXT
from faqbot.dialogue.ratings import RATING_NAMES, REASONS
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import numbered, tap
from faqbot.model.commands import Command, CommandResult
from faqbot.model.conversation import LastAnswer, Option
from faqbot.model.messages import Message
from faqbot.model.question_log import Rating

_RUNNERS_UP = 4
# Less likely ones are no help either.
_LIKELY = 0.05
_THANKS = "谢谢，已经告诉负责的同事"


class RatingCommands:
    """Writes what is said beside the question's record; the same said again changes nothing."""

    def __init__(self, workspace: Workspace, last_answers: LastAnswers) -> None:
        self._workspace = workspace
        self._last_answers = last_answers

    async def __call__(self, message: Message, order: Command) -> CommandResult:
        last = await self._last_answers.of(message)
        if last is None:
            return CommandResult("不知道说的是哪一条", f"{none_yet()}请再问一次。")
        rating = Rating(order.text)
        await self._workspace.store.rate(message.robot_code, last.message_id, rating)
        if rating is Rating.HELPFUL:
            return CommandResult("谢谢", "谢谢，很高兴帮上了忙。", rating)
        if rating is Rating.UNHELPFUL:
            return CommandResult("哪里不好？", _why(message), rating)
        entry = self._workspace.snapshot.entry(last.entry_id)
        thanks = f"{_THANKS}（{entry.owner}）。" if entry and entry.owner else f"{_THANKS}。"
        if rating is Rating.NOT_ASKED and (others := await self._others(message, last)):
            questions = [question for question, _ in others]
            listed = numbered(f"{thanks}您是不是想问：", [*questions, NONE_OF_THESE_TEXT], message)
            return CommandResult(
                "您是想问哪一个？", listed, rating, (*(option for _, option in others), Option("none", ""))
            )
        return CommandResult("谢谢", thanks, rating)

    async def _others(self, message: Message, last: LastAnswer) -> list[tuple[str, Option]]:
        """The questions that came next, as lines and what these stand for; none for a question that is not kept."""
        _, asked = await self._last_answers.records(last)
        text = asked.text if asked else ""
        if not text or withheld_topic(text):
            return []
        listed = await self._last_answers.listed(message)
        found = self._workspace.snapshot.index.search(
            text, allowed=lambda entry: entry.id != last.entry_id and listed(entry)
        )
        likely = [c.entry for c in found[:_RUNNERS_UP] if c.score >= _LIKELY]
        return [(entry.question, Option("entry", entry.id)) for entry in likely]


def _why(message: Message) -> str:
    links = " · ".join(f"[{RATING_NAMES[reason]}]({tap(RATING_NAMES[reason])})" for reason in REASONS)
    how = f"\n\n> 点一下，或者发「@我 {RATING_NAMES[REASONS[0]]}」这样的话。" if message.is_group else ""
    return f"抱歉，没有帮上忙。是哪里不好？\n\n{links}{how}"
