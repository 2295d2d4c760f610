"""The interface of all sentence encoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from faqbot.search.arrays import Floats

# A question waits this long for its vector, its turn included; without it, words alone decide.
QUESTION_SECONDS = 0.3


class TextEncoder(Protocol):
    """Turns texts into vectors of length 1 that are near each other where the texts mean the same.

    model: tells apart vectors that cannot be compared; part of the key under which they are stored.
    label: its name for people.
    batch_size: texts to give to `encode` at once; it may shrink.
    """

    @property
    def model(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def batch_size(self) -> int: ...

    async def encode(self, texts: Sequence[str]) -> Floats:
        """Return one row for each text, however long that takes. Raises EmbeddingsError."""
        ...

    async def encode_question(self, text: str) -> Floats:
        """Return the vector of a text that somebody waits for.

        Raises EncoderBusy where others wait that would not leave time for it, and EmbeddingsError.
        """
        ...

    def close(self) -> None:
        """Stop all work under way."""
        ...
