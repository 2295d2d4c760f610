"""How sure the bot must be here: the fitted bars, moved by what the knowledge base's own wordings show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.language.vocabulary import everyday_questions
from faqbot.model.entries import Entry
from faqbot.search.candidates import RetrievalRequest
from faqbot.search.hold_out import BestEntry, HoldOut, Trial, hold_out_trial
from faqbot.search.index import Index
from faqbot.search.thresholds import FITTED_THRESHOLDS, _answer_threshold, learn
from tests.conftest import SAMPLE

STRICTNESS = tuple(FITTED_THRESHOLDS)
TOPICS = (
    "停车位", "工资条", "会议室", "离职证明", "打印机", "婚假", "公积金", "食堂", "门禁卡", "体检",
    "发票", "加班费", "显示器", "名片", "快递柜", "培训", "社保卡", "报销单", "绩效", "班车",
)  # fmt: skip


def entry(entry_id: str, question: str, *also: str) -> Entry:
    return Entry(entry_id, question, "答案", also=also)


@pytest.fixture(scope="module")
def sample() -> Index:
    return build_snapshot(FolderSource(SAMPLE).read_now(), label="knowledge", today=date(2026, 11, 22)).index


@pytest.fixture(scope="module")
def different() -> Index:
    """Each entry speaks of something of its own."""
    return Index(entry(f"only-{t}", f"{t}怎么办理", f"{t}的办理流程", f"我想办{t}", f"{t}找谁办") for t in TOPICS)


@pytest.fixture(scope="module")
def copies() -> Index:
    """Two entries for each topic whose wordings say nearly the same."""
    return Index(
        one
        for t in TOPICS
        for one in (
            entry(f"one-{t}", f"{t}怎么办理", f"{t}怎么申请", f"{t}怎么弄"),
            entry(f"other-{t}", f"{t}如何办理", f"{t}如何申请", f"{t}如何弄"),
        )
    )


@pytest.mark.parametrize("strictness", STRICTNESS)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_with_few_wordings_the_fitted_bars_are_kept(count: int, strictness: str) -> None:
    index = Index(entry(t, f"{t}怎么办理", f"{t}找谁办") for t in TOPICS[:count])
    assert learn(index, strictness) == FITTED_THRESHOLDS[strictness]


@pytest.mark.parametrize("strictness", STRICTNESS)
@pytest.mark.parametrize("knowledge", ["sample", "different", "copies"])
def test_the_bars_stay_within_their_reach(knowledge: str, strictness: str, request: pytest.FixtureRequest) -> None:
    fitted, learnt = FITTED_THRESHOLDS[strictness], learn(request.getfixturevalue(knowledge), strictness)
    assert fitted.answer_at - 0.0201 <= learnt.answer_at <= fitted.answer_at + (1 - fitted.answer_at) * 0.35 + 0.0001
    assert fitted.likely_at - 0.0201 <= learnt.likely_at <= learnt.answer_at
    assert fitted.offer_at * 0.6 - 0.0001 <= learnt.offer_at <= fitted.offer_at * 1.6 + 0.0001
    assert 0 < learnt.offer_at < learnt.likely_at < learnt.answer_at < 1


@pytest.mark.parametrize("knowledge", ["sample", "different", "copies"])
def test_the_stricter_asks_for_at_least_as_much(knowledge: str, request: pytest.FixtureRequest) -> None:
    index = request.getfixturevalue(knowledge)
    strict, balanced, lenient = (learn(index, s) for s in ("strict", "balanced", "lenient"))
    assert strict.answer_at >= balanced.answer_at >= lenient.answer_at
    assert strict.answer_at > lenient.answer_at
    assert strict.likely_at >= balanced.likely_at >= lenient.likely_at
    assert strict.offer_at >= balanced.offer_at >= lenient.offer_at


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_near_copies_ask_for_more_than_clearly_different_entries(
    different: Index, copies: Index, strictness: str
) -> None:
    easy, hard = learn(different, strictness), learn(copies, strictness)
    assert hard.answer_at > FITTED_THRESHOLDS[strictness].answer_at > easy.answer_at


def test_held_out_wordings_find_their_entry_where_entries_differ_and_not_where_they_are_copies(
    different: Index, copies: Index
) -> None:
    easy, hard = hold_out_trial(different), hold_out_trial(copies)
    assert easy.correct.mean() > 0.9 > 0.5 > hard.correct.mean()
    assert hard.out_of_scope.mean() > 0.5 > easy.out_of_scope.mean()


def test_common_words_ask_more_of_a_list_than_words_of_a_subject(different: Index) -> None:
    everyday = ("护照", "信用卡", "外卖", "驾照", "小区停水", "天然气", "股票", "房价", "离婚财产", "世界杯")
    shared = Index(entry(t, f"{t}怎么办", f"{t}找谁") for t in everyday)
    low, high = hold_out_trial(different).strangers, hold_out_trial(shared).strangers
    assert len(low) == len(high) >= 40 and high.mean() > low.mean()
    for strictness in STRICTNESS:
        assert learn(shared, strictness).offer_at > learn(different, strictness).offer_at


def test_strangers_are_everyday_questions_that_hr_did_not_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written = everyday_questions()[0]
    watch = Watch(monkeypatch)
    trial = hold_out_trial(Index([entry("a", written), entry("b", "年假有几天")]))
    assert written not in [text for text, _ in watch.asked if text != written]
    assert len(trial.strangers) == len(everyday_questions()) - 1


def test_knowledge_in_english_is_not_tried_with_chinese_questions() -> None:
    index = Index(entry(f"{n}", f"How do I order part {n}?", f"Ordering of part {n}") for n in range(12))
    assert len(hold_out_trial(index).strangers) == 0
    assert learn(index, "balanced").offer_at == FITTED_THRESHOLDS["balanced"].offer_at


def test_neighbours_are_wordings_with_a_word_of_another_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index([entry("a", "停车位怎么申请"), entry("b", "工资条怎么查"), entry("c", "打印机怎么连")])
    watch = Watch(monkeypatch)
    trial = hold_out_trial(index)
    made = watch.made_up[: -len(trial.strangers)]
    assert len(made) == 3 and not any(map(index.has_wording, made))
    # All but two characters are those of a wording.
    for text in made:
        assert any(sum(one == other for one, other in zip(text, w, strict=False)) >= len(w) - 2 for w in index.wordings)
    assert len(trial.neighbours) <= 3


def test_neighbours_that_score_high_raise_the_bar() -> None:
    empty = np.zeros(0)
    scores = np.linspace(0.5, 1, 60)
    plain = Trial(scores, np.ones(60), empty, empty, empty)
    tried = replace(plain, neighbours=np.full(300, 0.9))
    assert _answer_threshold(tried, 0.88, 0.88, 0.95) > 0.9 > _answer_threshold(plain, 0.88, 0.88, 0.95)


def test_entries_with_one_wording_are_only_out_of_scope() -> None:
    trial = hold_out_trial(Index(entry(t, f"{t}怎么办理") for t in TOPICS))
    assert len(trial.scores) == len(trial.correct) == 0 and len(trial.out_of_scope) == len(TOPICS)


@pytest.mark.parametrize("strictness", STRICTNESS)
def test_learning_twice_gives_the_same(sample: Index, strictness: str) -> None:
    assert learn(sample, strictness) == learn(sample, strictness)


class Watch:
    """HoldOut.best_entries, with what it was asked: wordings held out, and questions that were made up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, tuple[int, ...]]] = []
        self.made_up: list[str] = []
        best_entries = HoldOut.best_entries

        def watched(hold_out: HoldOut, requests: Sequence[RetrievalRequest]) -> list[BestEntry | None]:
            self.asked += [(r.query.raw, tuple(r.held_out)) for r in requests if r.held_out]
            self.made_up += [r.query.raw for r in requests if not r.held_out]
            return best_entries(hold_out, requests)

        monkeypatch.setattr(HoldOut, "best_entries", watched)


@pytest.mark.parametrize("count", [10, 100, 900, 1200])
def test_at_most_a_thousand_wordings_are_tried_from_all_over(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(entry(f"{n}", f"{n} 号仓库几点开门", f"{n} 号仓库开到什么时候") for n in range(count))
    watch = Watch(monkeypatch)
    learn(index, "balanced")
    tried = [held_out[0] for _, held_out in watch.asked if len(held_out) == 1]
    assert min(count * 2, 500) <= len(tried) <= 1000 and len(watch.asked) <= 2000
    assert len(set(tried)) == len(tried)
    assert min(tried) < count * 0.1 and max(tried) >= count * 1.9 - 1


def test_one_entry_more_or_less_does_not_move_the_bar(sample: Index) -> None:
    entries = sample.entries
    bars = [learn(Index(e for e in entries if e is not gone), "balanced").answer_at for gone in entries[::5]]
    assert max(bars) - min(bars) <= 0.02


def test_a_wording_is_asked_without_itself_and_without_its_whole_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(
        [entry("a", "年假有几天", "休假天数"), entry("b", "食堂几点开门"), entry("c", "工资几号发", "发薪日")]
    )
    watch = Watch(monkeypatch)
    hold_out_trial(index)
    assert watch.asked == [
        ("年假有几天", (0,)),
        ("年假有几天", (0, 1)),
        ("休假天数", (1,)),
        ("休假天数", (0, 1)),
        ("食堂几点开门", (2,)),
        ("工资几号发", (3,)),
        ("工资几号发", (3, 4)),
        ("发薪日", (4,)),
        ("发薪日", (3, 4)),
    ]
