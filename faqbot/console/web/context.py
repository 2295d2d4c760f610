"""Dependencies of the console's handlers, and how a handler gets them from its request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.impact.past_questions import PastQuestions
from faqbot.search.arrays import Floats
from faqbot.settings import Settings


async def _no_vector(text: str) -> Floats | None:
    return None


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """The knowledge to work on, the settings, the judged past questions, and the embedding of a sentence.

    `meaning` returns None where no embeddings are set up or none is to be had.
    """

    workspace: Workspace
    settings: Settings
    past_questions: PastQuestions
    meaning: Callable[[str], Awaitable[Floats | None]] = _no_vector


CONTEXT: web.AppKey[ConsoleContext] = web.AppKey("context", ConsoleContext)


def context_of(request: web.Request) -> ConsoleContext:
    return request.app[CONTEXT]


def workspace_of(request: web.Request) -> Workspace:
    return request.app[CONTEXT].workspace
