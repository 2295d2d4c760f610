"""What is live outlives the process: the last good version of each file answers after a restart too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from faqbot.errors import StoreError
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.knowledge_base import KnowledgeBase
from faqbot.store.opening import open_store
from faqbot.store.protocol import Store

LEAVE = "- id: annual\n  question: 年假有几天\n  answer: 五天\n"
BROKEN = "- question: 年假\n  answer: [五天\n"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    await opened.close()


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    (tmp_path / "faq").mkdir()
    return tmp_path / "faq"


class Awaying:
    """The store, from which nothing can be had while `away`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False

    async def documents(self) -> Mapping[str, bytes]:
        return await self._store.documents()

    async def put_documents(self, documents: Mapping[str, bytes]) -> None:
        if self.away:
            raise StoreError("磁盘满了")
        await self._store.put_documents(documents)


def started(faq: Path, keep: Store | Awaying) -> KnowledgeBase:
    return KnowledgeBase(FolderSource(faq.parent, settle=0), lambda: date(2026, 6, 1), last_good=keep)


async def answers(library: KnowledgeBase) -> dict[str, str]:
    await library.refresh()
    found = {entry.id: entry.answer for entry in library.current.entries}
    await library.close()
    return found


async def test_a_file_that_was_taken_away_long_ago_does_not_hide_another_after_a_restart(
    faq: Path, store: Store
) -> None:
    (faq / "a.yaml").write_text(LEAVE)
    await answers(started(faq, store))
    (faq / "a.yaml").rename(faq / "b.yaml")
    await answers(started(faq, store))
    (faq / "b.yaml").write_text(BROKEN)
    assert await answers(started(faq, store)) == {"annual": "五天"}


# A file that is there and cannot be read, by whomever.
UNREADABLE = Path("/proc/self/mem")
needs_proc = pytest.mark.skipif(not UNREADABLE.exists(), reason="需要 /proc（Linux）")


@needs_proc
async def test_a_file_that_cannot_be_read_takes_no_answers_away_also_after_a_restart(faq: Path, store: Store) -> None:
    (faq / "a.yaml").write_text(LEAVE)
    (faq / "b.yaml").write_text("- id: pay\n  question: 几号发工资\n  answer: 10 号\n")
    library = started(faq, store)
    await library.refresh()
    (faq / "a.yaml").unlink()
    (faq / "a.yaml").symlink_to(UNREADABLE)
    (faq / "b.yaml").write_text("- id: pay\n  question: 几号发工资\n  answer: 11 号\n")
    assert await answers(library) == {"annual": "五天", "pay": "11 号"}
    later = started(faq, store)
    assert await answers(later) == {"annual": "五天", "pay": "11 号"}
    (problem,) = later.current.problems
    assert str(problem.place) == f"{faq.parent}/faq/a.yaml:1" and problem.is_error and "读不了" in problem.message
    (faq / "a.yaml").unlink()
    (faq / "a.yaml").write_text(LEAVE.replace("五", "六"))
    again = started(faq, store)
    assert await answers(again) == {"annual": "六天", "pay": "11 号"} and again.current.problems == ()


async def test_what_could_not_be_kept_at_once_is_kept_when_the_store_is_back(faq: Path, store: Store) -> None:
    keep = Awaying(store)
    keep.away = True
    (faq / "a.yaml").write_text(LEAVE)
    library = started(faq, keep)
    with pytest.raises(StoreError):
        await library.refresh()
    assert library.current.entry("annual"), "it answers all the same"
    keep.away = False
    assert not await library.refresh(), "nothing new is live"
    await library.close()
    (faq / "a.yaml").write_text(BROKEN)
    assert await answers(started(faq, store)) == {"annual": "五天"}
