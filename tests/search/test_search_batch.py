"""Many questions judged at once: each finds what it finds alone, whoever asks what beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.model.entries import Candidate, Entry
from faqbot.search import ranker as ranker_module
from faqbot.search.arrays import Floats
from faqbot.search.candidates import RetrievalRequest
from faqbot.search.hold_out import HoldOut
from faqbot.search.index import Index, SearchQuery
from faqbot.search.ranker import Ranker
from tests.conftest import SAMPLE


def entry(entry_id: str, *wordings: str, not_: tuple[str, ...] = ()) -> Entry:
    return Entry(entry_id, wordings[0], "答案", also=wordings[1:], not_=not_)


def units(count: int, seed: int) -> Floats:
    """Random vectors of length 1."""
    drawn = np.random.RandomState(seed).randn(count, 24).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


WORDS = Index(
    [
        entry("days", "年假有几天", "一年可以休多少天年假", "年假总共几天", not_=("年假还有几天没休完",)),
        entry("carry", "没休完的年假怎么处理"),
        entry("apply", "年假怎么申请", "休年假走什么流程"),
        entry("twin", "年假怎么申请", "年假从哪里申请", "休假申请在哪里提", "怎么请年假"),
        entry("fund", "公积金怎么提取", "租房能提公积金吗"),
        entry("payslip", "工资条在哪里看"),
        entry("wifi", "How do I connect to the office wifi?", "无线网密码"),
        *(entry(f"shed-{n}", f"{n} 号仓库几点开门") for n in range(40)),
    ]
)
LATIN = Index(
    [
        entry("password", "How do I reset my password?", "I forgot my password"),
        entry("vacation", "How many vacation days do I have?", "annual leave balance", "days off left"),
        entry("expense", "How do I submit an expense report?"),
    ]
)
MEANT = WORDS.with_embeddings(units(len(WORDS.embedded_texts), 1))
INDEXES = {
    "words": WORDS,
    "latin": LATIN,
    "meant": MEANT,
    "one": Index([entry("one", "年假有几天")]),
    "none": Index(()),
}

TEXTS = (
    "", "？！", "年假有几天", "年假几天呢", "年假怎么申请", "年假还有几天没休完", "nianjia怎么shenqing",
    "公鸡金怎么提取", "公積金怎麼提取", "gjj", "几号仓库几点开门", "打印机没纸", "龘靐齉", "怎么", "的",
    "reset pasword", "wifi 密码", "how do i", "年假" * 150, "请问工资条在哪里看啊谢谢",
)  # fmt: skip
ALLOWED: tuple[Callable[[Entry], bool] | None, ...] = (
    None,
    lambda e: e.id != "days",
    lambda e: e.id in {"carry", "shed-31"},
    lambda e: False,
)
ASKED = st.builds(
    SearchQuery,
    st.sampled_from(TEXTS),
    st.sampled_from(ALLOWED),
    st.none() | st.integers(0, 9).map(lambda n: units(10, 2)[n]),
)


def alone(index: Index, asked: SearchQuery, limit: int = 5) -> tuple[Candidate, ...]:
    return index.search(asked.text, allowed=asked.allowed, embedding=asked.embedding, limit=limit)


@pytest.mark.parametrize("name", INDEXES)
@given(asked=st.lists(ASKED, max_size=40), limit=st.sampled_from([1, 5, 30]))
def test_a_batch_finds_what_each_finds_alone(name: str, asked: list[SearchQuery], limit: int) -> None:
    index = INDEXES[name]
    found = index.search_batch(asked, limit)
    assert len(found) == len(asked)
    for one, result in zip(asked, found, strict=True):
        assert result == alone(index, one, limit), one.text


@pytest.mark.parametrize("together", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("name", ["words", "latin", "meant"])
def test_chunks_of_any_size_find_the_same(name: str, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = units(len(TEXTS), 3)
    asked = [SearchQuery(t, ALLOWED[n % 3], vectors[n] if n % 4 else None) for n, t in enumerate(TEXTS)] * 2
    expected = INDEXES[name].search_batch(asked)
    monkeypatch.setattr(ranker_module, "_MAX_QUERIES", together)
    found = INDEXES[name].search_batch(asked)
    assert found == expected


def test_a_large_base_is_judged_in_smaller_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    search_together = Index._search_together

    def counted(self: Index, ranker: Ranker, asked: Sequence[SearchQuery]) -> object:
        sizes.append(len(asked))
        return search_together(self, ranker, asked)

    monkeypatch.setattr(Index, "_search_together", counted)
    monkeypatch.setattr(ranker_module, "_MAX_SIMILARITIES", 4 * len(WORDS.wordings))
    WORDS.search_batch([SearchQuery(f"{n} 号仓库") for n in range(10)])
    assert sizes == [4, 4, 2]


def test_results_keep_the_order_of_the_questions() -> None:
    asked = [SearchQuery(f"{n} 号仓库几点开门") for n in (3, 17, 0, 39, 17)]
    found = WORDS.search_batch(asked)
    assert [c[0].entry.id for c in found] == ["shed-3", "shed-17", "shed-0", "shed-39", "shed-17"]
    assert [WORDS.search(a.text) for a in asked] == found


def test_each_asker_sees_only_what_is_open_to_them() -> None:
    open_to = [{"days"}, {"carry", "apply"}, set(), {"twin"}]
    asked = [SearchQuery("年假怎么申请", lambda e, ids=ids: e.id in ids) for ids in open_to]
    for ids, found in zip(open_to, WORDS.search_batch(asked), strict=True):
        assert {c.entry.id for c in found} <= ids and bool(found) == bool(ids)


def test_the_sample_knowledge_is_judged_the_same_at_once() -> None:
    index = build_snapshot(FolderSource(SAMPLE).read_now(), label="knowledge", today=date(2026, 11, 22)).index
    texts = [*index.wordings[::5], *(w[::-1] for w in index.wordings[::40])]
    assert index.search_batch([SearchQuery(text) for text in texts]) == [index.search(text) for text in texts]


@pytest.mark.parametrize("name", ["words", "latin", "meant"])
def test_firsts_without_some_wordings_are_the_same_at_once(name: str) -> None:
    index = INDEXES[name]
    hold_out = HoldOut(index)
    rows = hold_out.sample_rows(20)
    wanted = [
        RetrievalRequest(query, held_out=held_out, embedding=hold_out.embedding(row))
        for row, query in zip(rows, hold_out.queries(rows), strict=True)
        for held_out in ((row,), tuple(hold_out.siblings(row)), ())
    ]
    # Some without a vector among others with one.
    wanted[::4] = [replace(one, embedding=None) for one in wanted[::4]]
    found = hold_out.best_entries(wanted)
    for one, first in zip(wanted, found, strict=True):
        (expected,) = hold_out.best_entries([one])
        assert (first is None) == (expected is None)
        if first is not None and expected is not None:
            assert first == (expected.entry, pytest.approx(expected.score), pytest.approx(expected.listed))
