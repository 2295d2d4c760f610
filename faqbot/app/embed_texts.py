"""Fetch the embeddings of whole lists of texts, for commands that also compare by meaning."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.runtime.resources import open_resources
from faqbot.search.arrays import Floats
from faqbot.search.embeddings import open_embeddings
from faqbot.settings import Settings


async def embed_texts(settings: Settings, *lists: Sequence[str]) -> list[Floats]:
    """Return the embeddings of each list; they are kept in the configured store. Raises EmbeddingsError, StartError.

    An embeddings endpoint must be set.
    """
    async with open_resources(settings) as resources:
        embeddings = open_embeddings(settings, resources.session, resources.store)
        assert embeddings is not None
        return [await embeddings.of_wordings(texts) for texts in lists]
