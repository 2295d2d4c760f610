"""Computes the embeddings of a list of texts, for commands that compare by meaning."""

from __future__ import annotations

from collections.abc import Sequence

from faqbot.runtime.resources import open_resources
from faqbot.search.arrays import Floats
from faqbot.search.embeddings import open_embeddings
from faqbot.settings import Settings


async def embed_texts(settings: Settings, *lists: Sequence[str]) -> list[Floats]:
    """Fetch the vectors of each list, remembered in the configured store. Raises EmbeddingsError, StartError.

    An endpoint must be set.
    """
    async with open_resources(settings) as resources:
        embeddings = open_embeddings(settings, resources.session, resources.store)
        assert embeddings is not None
        return [await embeddings.of_wordings(texts) for texts in lists]
