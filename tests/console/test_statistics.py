"""统计: the numbers of a period, the questions behind each of them, the download, and how quick it is."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import sqlite3
import time
from collections.abc import Sequence
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest

from faqbot.analytics.stats import QuestionOutcome
from faqbot.app.running import Running
from faqbot.settings import Settings
from tests.conftest import Talk
from tests.console.conftest import Person, stranger

HOUR, DAY = 3600.0, 86400.0
COLUMNS = "message_id, asked_at, conversation_id, asker, text, outcome, entry_id, score, delivery"
WEEK = (
    (6 * DAY, "小李", "年假有几天", "answered", "annual-leave", "ok"),
    (5 * DAY, "小李", "公司有健身房吗", "unanswered", "", "ok"),
    (4 * DAY, "小王", "咱们公司有没有健身房呀", "unanswered", "", "ok"),
    (2 * DAY, "小张", "请假", "offered", "annual-leave", "ok"),
    (2 * DAY - 60, "小张", "2", "picked", "sick-leave-apply", "ok"),
    (DAY, "小王", "年假有几天？", "answered", "annual-leave", "430101"),
    (HOUR, "小王", "老条目还在吗", "answered", "long-gone", "ok"),
    (40 * DAY, "老周", "很久以前问的", "answered", "payday", "ok"),
    (HOUR, "<b>坏人</b>", "<script>alert(1)</script>", "offered", "<i>x</i>", "ok"),
    (HOUR + 1, "小李", "=1+1", "unanswered", "", "ok"),
)  # fmt: skip


def keep(settings: Settings, rows: Sequence[tuple[float, str, str, str, str, str]]) -> None:
    """Put records into the store behind the running bot's back, `ago` seconds old."""
    now = time.time()
    db = sqlite3.connect(settings.store.removeprefix("sqlite:///"))
    with db:
        db.executemany(
            f"INSERT INTO questions ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (f"m{n}", now - ago, "全员群", who, text, outcome, entry, 0.9, delivery)
                for n, (ago, who, text, outcome, entry, delivery) in enumerate(rows)
            ],
        )
    db.close()


async def as_json(person: Person, path: str) -> dict[str, Any]:
    page = await person.get(path)
    assert page.status == 200, page.text
    found: dict[str, Any] = json.loads(page.text)
    return found


async def test_without_questions_the_page_says_so(hr: Person) -> None:
    page = await hr.get("/stats")
    assert page.status == 200 and "这段时间没有提问记录" in page.text
    found = await as_json(hr, "/stats.json")
    assert (found["asked"], found["people"], found["days"]) == (0, 0, 30)


async def test_the_numbers_of_each_period(hr: Person, settings: Settings) -> None:
    keep(settings, WEEK)
    for days, asked, people in ((7, 8, 4), (30, 8, 4), (90, 9, 5), (365, 9, 5)):
        found = await as_json(hr, f"/stats.json?days={days}")
        assert (found["days"], found["asked"], found["people"]) == (days, asked, people)
        assert sum(found[fate] for fate in QuestionOutcome) == asked
    found = await as_json(hr, "/stats.json?days=7")
    assert {f: found[f] for f in ("answered", "picked", "offered", "missed", "failed", "disliked")} == {
        "answered": 2, "picked": 1, "offered": 1, "missed": 3, "failed": 1, "disliked": 0,
    }  # fmt: skip
    assert [h["id"] for h in found["hot"]] == ["annual-leave", "long-gone", "sick-leave-apply"]
    assert [h["id"] for h in found["cold"]] == ["annual-leave", "sick-leave-apply"]
    assert "payday" in [e["id"] for e in found["never"]]
    assert sum(w["asked"] for w in found["weeks"]) == 8
    for odd in ("0", "x", "-7", "100000"):
        assert (await as_json(hr, f"/stats.json?days={odd}"))["days"] == 30


async def test_every_number_leads_to_as_many_questions(hr: Person, settings: Settings) -> None:
    keep(settings, WEEK)
    page = await hr.get("/stats?days=90")
    links = re.findall(r'<a href="(/stats/questions\?[^"]*)"[^>]*>(\d+)</a>', page.text)
    assert len(links) > 20
    for path, shown in {(unescape(p), n) for p, n in links}:
        found = await as_json(hr, f"{path}&format=json")
        people = {q["person"] for q in found["questions"]}
        assert int(shown) == (len(people) if "order=person" in path else found["total"]), path


async def test_the_list_says_what_became_of_each_and_names_nobody(hr: Person, settings: Settings) -> None:
    keep(settings, WEEK)
    found = await as_json(hr, "/stats/questions.json?days=7")
    times = [q["at"] for q in found["questions"]]
    assert times == sorted(times, reverse=True)
    picked = next(q for q in found["questions"] if q["outcome"] == "picked")
    assert (picked["text"], picked["entry"]) == ("请假", "sick-leave-apply")
    failed = next(q for q in found["questions"] if q["outcome"] == "failed")
    assert "430101" in failed["delivery"]
    # One person has one number, the same on every page.
    numbers = {q["text"]: q["person"] for q in found["questions"]}
    assert numbers["年假有几天"] == numbers["公司有健身房吗"] == 1 and numbers["咱们公司有没有健身房呀"] == 2
    (only,) = (await as_json(hr, "/stats/questions.json?days=7&fate=picked"))["questions"]
    assert only["person"] == numbers["请假"]
    for path in ("/stats?days=90", "/stats/questions?days=90", "/stats/questions.json?days=90", "/stats.json?days=90"):
        text = (await hr.get(path)).text
        assert not [who for who in ("小李", "小王", "小张", "老周", "坏人") if who in text], path
    by_person = (await as_json(hr, "/stats/questions.json?days=7&order=person"))["questions"]
    assert [q["person"] for q in by_person] == sorted(q["person"] for q in by_person)


async def test_what_broke_says_so(hr: Person, settings: Settings) -> None:
    keep(settings, [(HOUR, "小李", "年假", "broken", "", "ok"), (HOUR, "小王", "年假", "answered", "", "timeout")])
    found = (await as_json(hr, "/stats/questions.json?fate=failed"))["questions"]
    assert ["出错" in q["delivery"] for q in found].count(True) == 1 and all(q["delivery"] for q in found)


async def test_hostile_texts_show_as_text(hr: Person, settings: Settings) -> None:
    keep(settings, WEEK)
    bad = "<script>alert(1)</script>"
    for path in ("/stats", "/stats/questions", f"/stats/questions?fate={bad}&topic={bad}&entry={bad}&week={bad}"):
        page = await hr.get(path)
        assert page.status == 200 and bad not in page.text and "<i>x" not in page.text, path
        assert " style=" not in page.text and "<style" not in page.text
    assert "&lt;script&gt;" in (await hr.get("/stats/questions")).text


async def test_lists_are_paged(hr: Person, settings: Settings) -> None:
    keep(settings, [(n * 60.0 + 1, f"u{n % 7}", f"问题 {n}", "unanswered", "", "ok") for n in range(120)])
    pages = [await as_json(hr, f"/stats/questions.json?days=7&fate=missed&page={n}") for n in (1, 2, 3)]
    assert [len(p["questions"]) for p in pages] == [50, 50, 20] and pages[0]["pages"] == 3
    texts = [q["text"] for p in pages for q in p["questions"]]
    assert texts == [f"问题 {n}" for n in range(120)]
    text = (await hr.get("/stats/questions?days=7&fate=missed")).text
    (link,) = [unescape(p) for p in re.findall(r'href="([^"]*page=2[^"]*)"', text)]
    assert "fate=missed" in urlsplit(link).query and "days=7" in link


async def test_a_question_that_was_just_asked_is_counted(hr: Person, talk: Talk) -> None:
    before = (await as_json(hr, "/stats.json"))["asked"]
    await talk("小李", "年假有几天")
    for _ in range(50):
        found = await as_json(hr, "/stats.json")
        if found["asked"] == before + 1:
            break
    assert (found["asked"], found["answered"]) == (before + 1, 1)


async def test_who_is_forgotten_is_gone_at_once(hr: Person, bot: Running, settings: Settings) -> None:
    keep(settings, WEEK)
    assert (await as_json(hr, "/stats.json?days=7"))["people"] == 4
    await bot.store.forget("小李")
    found = await as_json(hr, "/stats.json?days=7")
    assert (found["people"], found["asked"]) == (3, 5)
    assert "公司有健身房吗" not in (await hr.get("/stats/questions?days=7")).text


async def test_the_download_is_for_spreadsheets(hr: Person, settings: Settings) -> None:
    keep(settings, WEEK)
    async with hr.http.get("/stats/records.csv?days=90") as answer:
        body = await answer.read()
        assert answer.status == 200 and answer.content_type == "text/csv"
        assert re.fullmatch(r'attachment; filename="faqbot-[\d-]+\.csv"', answer.headers["Content-Disposition"])
    assert body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert len(rows) == len(WEEK) and {r["提问人"] for r in rows} == {"1", "2", "3", "4", "5"}
    assert "'=1+1" in [r["提问"] for r in rows] and "小李" not in body.decode()
    async with hr.http.get("/stats/records.csv?days=7") as answer:
        assert len(list(csv.reader(io.StringIO((await answer.read()).decode())))) == len(WEEK)


@pytest.mark.parametrize(
    "path", ["/stats", "/stats.json", "/stats/questions", "/stats/questions.json", "/stats/records.csv"]
)
async def test_strangers_see_nothing(bot: Running, settings: Settings, path: str) -> None:
    keep(settings, WEEK)
    async with stranger(bot.console_url) as person:
        page = await person.get(path)
    assert (page.status == 401 or page.path.startswith("/login")) and "健身房" not in page.text


async def test_twenty_thousand_records_are_shown(hr: Person, bot: Running, settings: Settings) -> None:
    chance = random.Random(1)
    ids = [e.id for e in bot.library.current.entries]
    outcomes = ("answered", "offered", "picked", "unanswered")
    keep(
        settings,
        [
            (chance.random() * 360 * DAY, f"u{chance.randrange(2000)}", f"问题 {n}", o, chance.choice(ids), "ok")
            for n in range(20_000)
            for o in [chance.choice(outcomes)]
        ],
    )
    paths = (
        "/stats?days=365",
        "/stats/questions?days=365&fate=missed&page=7",
        "/stats.json?days=365",
        "/stats?days=90",
    )
    for path in (*paths, "/stats/questions?days=365"):
        assert (await hr.get(path)).status == 200
