"""A queue in the store: what waits, what was finished, what a repeat changes. Over both stores."""

from __future__ import annotations

from faqbot.runtime.durable_queue import DurableQueue
from faqbot.store.protocol import Store


async def test_an_item_waits_until_it_is_finished_and_is_known_afterwards(store: Store) -> None:
    queue = DurableQueue(store, "things", done_prefix="thing-done", remember=60)
    assert await queue.put("a", "1") and await queue.put("a", "2") and await queue.put("b", "3")
    assert dict(await queue.waiting()) == {"a": "2", "b": "3"} and await queue.outcome("a") is None
    await queue.finish("a", "")
    assert not await queue.put("a", "4")
    assert dict(await queue.waiting()) == {"b": "3"} and await queue.outcome("a") == ""


async def test_an_item_that_was_removed_is_not_known(store: Store) -> None:
    queue = DurableQueue(store, "things", done_prefix="thing-done", remember=60)
    await queue.put("a", "1")
    await queue.remove("a")
    assert not await queue.waiting() and await queue.put("a", "2")


async def test_the_stored_names_are_these(store: Store) -> None:
    queue = DurableQueue(store, "things", done_prefix="thing-done", remember=60)
    await queue.put("a", "1")
    assert dict(await store.marks("things")) == {"a": "1"}
    await queue.finish("a", "sent")
    assert await store.note("thing-done:a") == "sent"
