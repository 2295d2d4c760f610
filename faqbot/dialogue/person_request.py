"""Person request: reads what an asker of a person says next: the question, the team they pick, or 取消. Pure."""

from __future__ import annotations

from faqbot.dialogue.choices import is_pick, picks_none
from faqbot.dialogue.command_parser import parse_command
from faqbot.dialogue.decision_context import DecisionContext
from faqbot.dialogue.ratings import parse_rating
from faqbot.dialogue.small_talk import small_talk
from faqbot.language.normalize import normalise
from faqbot.language.person_requests import takes_back, team_named
from faqbot.language.picks import parse_pick, words_of_line
from faqbot.model.commands import Command, CommandKind, Interpretation
from faqbot.model.conversation import Option
from faqbot.model.plain_replies import OutOfList, SmallTalk, SmallTalkKind


def continued_request(context: DecisionContext) -> Interpretation | None:
    """Read a message that goes on with the request for a person; None for any other.

    The question is handed over even where the bot has its answer, since a person was asked for.
    """
    text, state = context.message.text, context.state
    teams = state.options if any(option.kind == "team" for option in state.options) else ()
    if not teams and not state.handoff_expires_at:
        return None
    if takes_back(text):
        return Command(CommandKind.CANCEL_PERSON, teams[0].key if teams else "")
    if teams and (picked := _picked_team(context, teams)):
        return Command(CommandKind.TEAM, picked.key) if isinstance(picked, Option) else picked
    if state.handoff_expires_at and _is_question(context):
        return Command(CommandKind.PERSON, text.strip())
    return None


def _picked_team(context: DecisionContext, options: tuple[Option, ...]) -> Option | OutOfList | None:
    """Return the line picked by its number or a name of the team; the last line stands for none of the teams."""
    text, teams = context.message.text, options[:-1]
    if picks_none(text, context.state):
        return options[-1]
    if pick := parse_pick(text):
        # A ticket goes to one team.
        if len(pick.numbers) != 1:
            return OutOfList(len(teams), unclear=True)
        number = pick.numbers[0] if pick.numbers[0] >= 0 else len(teams) + 1 + pick.numbers[0]
        return options[number - 1] if 1 <= number <= len(options) else OutOfList(len(options))
    owners = [team.key.partition("\n")[2] for team in teams]
    names = [{owner, *_topics(context, owner)} for owner in owners]
    found = (team_named(words, names) for words in (text, *words_of_line(text)))
    return next((teams[n] for n in found if n is not None), None)


def _topics(context: DecisionContext, owner: str) -> set[str]:
    return {entry.topic for entry in context.index.entries if entry.owner.strip() == owner and context.listable(entry)}


def _is_question(context: DecisionContext) -> bool:
    """Return True unless a message is a command, a rating, a number or says nothing, as greetings and thanks do.

    Chat is a question here: who asks for a person may want to talk to one.
    """
    message = context.message
    if not normalise(message.text) or is_pick(message.text) or picks_none(message.text, context.state):
        return False
    if parse_command(message) or parse_rating(message.text, context.state.last_answer):
        return False
    talk = small_talk(message.text, context.index, context.listable)
    return talk is None or (isinstance(talk, SmallTalk) and talk.kind is SmallTalkKind.CHAT)
