"""Builds the live knowledge: file source, knowledge base, and editing workspace."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial

from faqbot.embeddings.embeddings import Embeddings
from faqbot.embeddings.opening import open_embeddings
from faqbot.knowledge.editing.external_changes import watch_files
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.files.opening import open_source
from faqbot.knowledge.files.picture_folder import PictureFolder
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.rules.definitions import Automations
from faqbot.runtime.background import Loop
from faqbot.runtime.resources import Resources
from faqbot.search.arrays import Floats


@dataclass(frozen=True, slots=True)
class KnowledgeParts:
    """The knowledge that is live; `previous_files` are those without errors of the last run, by name."""

    library: KnowledgeBase
    workspace: Workspace
    pictures: PictureFolder
    embeddings: Embeddings | None
    previous_files: Mapping[str, bytes]

    def automations(self) -> Automations:
        """Return the rules that are live now."""
        return self.library.current.automations

    def owners(self, name: str) -> tuple[str, ...]:
        """Return the userIds of a person or group of groups.yaml that is live now."""
        return self.library.current.groups.owner_userids(name)

    async def meaning(self, text: str) -> Floats | None:
        """Return the vector of a sentence; None where there is no encoder or it gives none now."""
        return await self.embeddings.of_question(text) if self.embeddings else None

    @property
    def loops(self) -> Mapping[str, Loop]:
        return {
            "knowledge.watch": self.library.watch,
            "knowledge.history": partial(watch_files, self.workspace, self.previous_files),
        }


@contextlib.asynccontextmanager
async def open_knowledge(resources: Resources, *, serving: bool = True) -> AsyncIterator[KnowledgeParts]:
    """Read the knowledge and make it live. Raises KnowledgeMissing, StoreError.

    A command beside the running bot is not `serving`: it leaves embeddings, pictures and the record of files without
    errors to the bot.
    """
    settings, store = resources.settings, resources.store
    source, pictures = open_source(settings, store), PictureFolder(settings.knowledge)
    async with contextlib.AsyncExitStack() as stack:
        embeddings: Embeddings | None = None
        if serving:
            opened = open_embeddings(settings, resources.session, store, resources.metrics)
            embeddings = await stack.enter_async_context(opened)
        knowledge = KnowledgeBase(
            source,
            resources.today,
            settings.strictness,
            embeddings.of_texts if embeddings else None,
            last_good=store if serving else None,
            metrics=resources.metrics,
            pictures=pictures if serving else None,
        )
        stack.push_async_callback(knowledge.close)
        workspace = Workspace(knowledge, source, store, resources.today, resources.clock)
        # Before refresh() writes those of this run.
        previous_files = await store.documents() if serving else {}
        await knowledge.refresh()
        yield KnowledgeParts(knowledge, workspace, pictures, embeddings, previous_files)
