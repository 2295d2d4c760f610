"""Commands 有用, 没用 and the reasons for it: rate the last answer; 不是我问的 offers the next best entries."""

from __future__ import annotations

from dataclasses import replace

from faqbot.access.privacy import withheld_topic
from faqbot.commands.last_answer import LastAnswers, none_yet
from faqbot.dialogue.choices import NONE_OF_THESE_TEXT
from faqbot.dialogue.ratings import RATING_NAMES, REASONS
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.markup.blocks import numbered, tappable, typed, with_remark
from faqbot.model.commands import ColleagueRating, Command, CommandResult
from faqbot.model.conversation import LastAnswer, Option
from faqbot.model.messages import Message
from faqbot.model.question_log import Rating

_MAX_OFFERED = 4
# Entries with a lower score are not offered, as they would not help.
_MIN_OFFERED_SCORE = 0.05
_THANKS = "谢谢，已经告诉负责的同事"


class RatingCommands:
    """Stores the rating with the question's record; the same rating again changes nothing."""

    def __init__(self, workspace: Workspace, last_answers: LastAnswers) -> None:
        self._workspace = workspace
        self._last_answers = last_answers

    async def __call__(self, message: Message, command: Command) -> CommandResult:
        last = await self._last_answers.of(message)
        if last is None:
            return CommandResult("不知道说的是哪一条", f"{none_yet(message)}请再问一次。")
        rating = Rating(command.text)
        return replace(await self._reply(message, last, rating), rated=await self._stored(message, last, rating))

    async def _stored(self, message: Message, last: LastAnswer, rating: Rating) -> ColleagueRating | None:
        """Store the rating; return that of a colleague's answer which is still to be recorded."""
        record = await self._last_answers.rated_record(message, last) if last.asked_at else None
        if record is None or record.asker == message.asker:
            rated_id = record.message_id if record else last.message_id
            await self._workspace.store.rate(message.robot_code, rated_id, rating)
            return None
        return ColleagueRating(record.message_id, record.text, record.entry_id, rating)

    async def _reply(self, message: Message, last: LastAnswer, rating: Rating) -> CommandResult:
        if rating is Rating.HELPFUL:
            return CommandResult("谢谢", "谢谢，很高兴帮上了忙。", rating)
        if rating is Rating.UNHELPFUL:
            return CommandResult("哪里不好？", _ask_reason(message), rating)
        entry = self._workspace.snapshot.entry(last.entry_id)
        thanks = f"{_THANKS}（{entry.owner}）。" if entry and entry.owner else f"{_THANKS}。"
        if rating is Rating.NOT_ASKED and (others := await self._next_best(message, last)):
            questions = [question for question, _ in others]
            listed = numbered(f"{thanks}您是不是想问：", [*questions, NONE_OF_THESE_TEXT], message)
            return CommandResult(
                "您是想问哪一个？", listed, rating, (*(option for _, option in others), Option("none", ""))
            )
        return CommandResult("谢谢", thanks, rating)

    async def _next_best(self, message: Message, last: LastAnswer) -> list[tuple[str, Option]]:
        """Return the next best questions and their options; none if the text of the question was not stored."""
        _, question = await self._last_answers.records(last)
        text = question.text if question else ""
        if not text or withheld_topic(text):
            return []
        listed = await self._last_answers.listed(message)
        ranking = self._workspace.snapshot.index.search(
            text, allowed=lambda entry: entry.id != last.entry_id and listed(entry)
        )
        likely = [c.entry for c in ranking[:_MAX_OFFERED] if c.score >= _MIN_OFFERED_SCORE]
        return [(entry.question, Option("entry", entry.id)) for entry in likely]


def _ask_reason(message: Message) -> str:
    how = f"发{typed(RATING_NAMES[REASONS[0]], message)}这样的话"
    intro = with_remark("抱歉，没有帮上忙。是哪里不好？", f"点一下，或者{how}" if message.taps_arrive else how)
    return f"{intro}\n\n{' · '.join(tappable(RATING_NAMES[reason], message) for reason in REASONS)}"
