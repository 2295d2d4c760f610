"""Random orders of turns by four people in two groups and single chats: nobody is told what is not for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conversations.fuzz.session import Heard, SharedKnowledge, play, shared_knowledge
from tests.conversations.fuzz.shrinking import Judge
from tests.conversations.fuzz.turns import random_order
from tests.conversations.fuzz.whole_bot import one_by_one, posts_of, posts_of_whole_bot

_LONG = os.environ.get("FAQBOT_PROPERTIES") == "long"
# Each order takes about 0.4 s on a slow machine.
_ORDERS = 2000 if _LONG else 40
# Parts that run in parallel; each process loads the knowledge once.
_PARTS = 20 if _LONG else 2
# The whole program starts anew for each of these.
_ORDERS_OF_WHOLE_BOT = 10 if _LONG else 1


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SharedKnowledge:
    folder: Path = tmp_path_factory.mktemp("fuzz") / "knowledge"
    # In a thread of its own, as this thread may have an event loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(shared_knowledge, folder).result()


@pytest.mark.parametrize("part", range(_PARTS))
async def test_nobody_is_told_what_is_not_for_them(
    part: int, shared: SharedKnowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The store in memory locks a file in the working directory.
    monkeypatch.chdir(tmp_path)
    judge = Judge(shared)
    reached: set[str] = set()
    for seed in range(part, _ORDERS, _PARTS):
        order = random_order(seed)
        heard, found = await judge.judge(order)
        reached |= {what for one in heard for what in _reached(one)}
        if found:
            pytest.fail(f"order {seed}: {await judge.report(order, found[0])}", pytrace=False)

    # Orders that lead to nothing would hold nothing.
    assert reached >= {"picked", "offered", "asked_back", "likely", "quote", "private", "ticket"}


def _reached(one: Heard) -> Iterator[str]:
    """What came of a turn."""
    if one.record:
        yield one.record.outcome
    if one.quoted:
        yield "quote"
    if one.direct:
        yield "private"
    if any("单号" in reply.text for reply in one.replies):
        yield "ticket"


@pytest.mark.parametrize("seed", range(_ORDERS_OF_WHOLE_BOT))
async def test_the_whole_program_says_the_same(
    seed: int, shared: SharedKnowledge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    order = tuple(one_by_one(random_order(seed)))
    expected = [posts_of(one) for one in await play(shared, order)]
    assert await posts_of_whole_bot(tmp_path, shared.settings.knowledge, shared.clock.start, order) == expected
