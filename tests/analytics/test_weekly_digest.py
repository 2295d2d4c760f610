"""The weekly digest: what was asked, what it leaves to do, nothing private."""

from __future__ import annotations

from datetime import UTC, date, datetime

from faqbot.access.privacy import withheld
from faqbot.analytics.stats import Stats, cluster_gaps
from faqbot.analytics.suggested_wordings import Suggestion
from faqbot.analytics.weekly_digest import OpenWork, weekly_digest
from faqbot.language.normalize import normalise
from faqbot.model.entries import Entry, Period
from faqbot.model.question_log import QuestionRecord

THINGS = ("食堂", "班车", "健身房", "打印机", "空调", "洗衣房", "宠物")
DAY = date(2026, 3, 9)
ANNUAL = Entry("annual", "年假有几天？", "5 天。", review=date(2026, 3, 20))
ENTRIES = {
    e.id: e
    for e in (
        ANNUAL,
        Entry("visit", "访客怎么登记？", "前台。", valid=Period(None, date(2026, 3, 12))),
        Entry("gone", "春节加班怎么算？", "三倍。", valid=Period(None, date(2026, 3, 1)), review=date(2026, 2, 1)),
        Entry("old", "餐补多少？", "20 元。", valid=Period(None, date(2026, 3, 15))),
        Entry("new", "餐补多少？", "25 元。", valid=Period(date(2026, 3, 16))),
        Entry("later", "年会几号？", "没有定。", review=date(2026, 5, 1)),
        Entry("secret", "涨薪比例？", "5%。", review=date(2026, 3, 10), private=True),
        Entry("draft", "新规？", "x", review=date(2026, 3, 10), draft=True),
    )
}


def stats(*asked: tuple[str, str, str]) -> Stats:
    """Who asked what with which outcome."""
    at = datetime(2026, 3, 5, tzinfo=UTC).timestamp()
    records = [
        QuestionRecord(f"m{n}", at + n, "cid", who, text, outcome) for n, (who, text, outcome) in enumerate(asked)
    ]
    return Stats(records, datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC), ENTRIES)


def test_a_week_in_one_message() -> None:
    week = stats(
        ("甲", "年假有几天", "answered"),
        ("乙", "*食堂* 几点开", "unanswered"),
        ("丙", "*食堂* 几点开", "unanswered"),
        ("丙", withheld("薪酬"), "unanswered"),
    )
    missed = cluster_gaps(week.records, normalise)
    taught = [Suggestion("k", "能休多久", ANNUAL, 3, 0.0)]
    title, body = weekly_digest(week, OpenWork(missed, taught, [3, 12]), DAY)
    assert title == "问答周报 3.2–3.9"
    assert "**3 人问了 4 次**：直接答上 1，没有答上来 3。" in body
    assert "**没有答上来的 1 组**\n\n1. ＊食堂＊ 几点开（2 人）" in body
    assert "- 「能休多久」→ 年假有几天？（3 人选）" in body
    assert "**等着通过的草稿 2 份**：草稿 3、草稿 12" in body
    assert "访客怎么登记？（3 月 12 日到期）\n- 年假有几天？（3 月 20 日复核）" in body
    assert body.endswith("请到控制台「今天」里处理。")
    assert not any(word in body for word in ("涨薪", "薪酬", "年会", "新规", "春节", "餐补"))


def test_likely_answers_are_counted_apart() -> None:
    week = stats(("甲", "住宿能报多少", "likely"), ("乙", "年假有几天", "answered"))
    assert "**2 人问了 2 次**：直接答上 1，给了可能的答案 1。" in weekly_digest(week, OpenWork(), DAY)[1]


def test_more_than_a_few_are_counted() -> None:
    week = stats(*((f"u{n}", f"{thing}几点开", "unanswered") for n, thing in enumerate(THINGS)))
    _, body = weekly_digest(week, OpenWork(cluster_gaps(week.records, normalise)), DAY)
    assert body.count("（1 人）") == 5 and "- 还有 2 个" in body


def test_a_quiet_week() -> None:
    quiet = Stats([], datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC), {})
    assert weekly_digest(quiet, OpenWork(), DAY)[1].endswith("这一周没有人提问。\n\n没有等着处理的事。")
