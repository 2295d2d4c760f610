"""问答, read: the list, the page of an entry, trying a sentence, their JSON twins and what every page carries."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from faqbot.analytics.try_out import stretches_in
from faqbot.app.running import Running
from faqbot.console.web.pages import entry_url
from faqbot.knowledge.entry_search import EntryFilter, find
from faqbot.language.text_diff import side_by_side
from faqbot.markup.to_html import markdown_to_html
from tests.console.conftest import Files, Person

ODD = """\
- id: ../../etc/passwd
  question: 编号里有斜杠怎么办？
  answer: 能打开。
- id: new
  question: 编号叫 new 的呢？
  answer: 也能打开。
- id: "=&?#%2F <b>"
  question: 编号里有怪字符呢？
  answer: 还是能打开。
- id: x.json
  question: 编号像文件名呢？
  answer: 照样能打开。
- id: ".."
  question: 编号是两个点呢？
  answer: 一样能打开。
"""
DATED = f"""\
- question: 过期的问题？
  answer: 旧。
  valid: {{until: 2020-01-01}}
- question: 明天才开始的问题？
  answer: 新。
  valid: {{from: {date.today() + timedelta(days=3)}}}
- question: 早该复核的问题？
  answer: 老。
  owner: 复核组
  review: 2020-01-01
- question: 日期读不懂的问题？
  answer: 呀。
  valid: {{until: 明年}}
"""


async def add_file(bot: Running, files: Files, text: str, name: str = "faq/more.yaml") -> None:
    files.write(text, name)
    await bot.library.refresh()


# -- the list ----------------------------------------------------------------------------------


async def test_the_list_shows_every_entry_by_topic(hr: Person) -> None:
    page = await hr.get("/entries")
    assert page.status == 200 and "共 9 条" in page.text
    for words in ("年假有几天？", "每个月几号发工资？", "涨薪比例是多少？", "休假组", "leave.yaml:5"):
        assert words in page.text
    assert page.text.index("公司无线网密码") > page.text.index("年假有几天？")


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("q=生病了", "病假怎么请？"),
        ("q=三月底", "年假没休完怎么办？"),
        ("q=次年", "年假没休完怎么办？"),
        ("q=涨薪", "涨薪比例是多少？"),
        ("q=sick-leave-doc", "请病假需要什么证明？"),
        ("topic=行政", "公司无线网密码是多少？"),
        ("owner=行政组", "公司无线网密码是多少？"),
        ("status=draft", "涨薪比例是多少？"),
        ("topic=行政&q=停车", "公司有停车位吗？"),
    ],
)
async def test_entries_are_found_by_words_topic_owner_and_state(hr: Person, asked: str, first: str | None) -> None:
    found = json.loads((await hr.get(f"/entries?{asked}&format=json")).text)["entries"]
    assert (found[0]["question"] if found else None) == first
    page = await hr.get(f"/entries?{asked}")
    assert page.status == 200 and (first or "没有这样的条目") in page.text
    assert first or "/entries/new?question=" in page.text


async def test_each_state_can_be_picked(hr: Person, bot: Running, files: Files) -> None:
    await add_file(bot, files, DATED)
    for status, question in {
        "expired": "过期的问题？",
        "coming": "明天才开始的问题？",
        "review": "早该复核的问题？",
        "held": "日期读不懂的问题？",
    }.items():
        found = find(bot.library.current, EntryFilter(status=status), date.today())
        assert [e.question for e in found] == [question]
    live = [e.question for e in find(bot.library.current, EntryFilter(status="live"), date.today())]
    assert "早该复核的问题？" in live and "过期的问题？" not in live
    page = await hr.get("/entries?q=问题")
    for name in ("已过期", "未到期", "待复核", "被挂起"):
        assert name in page.text


async def test_a_file_with_an_error_is_shown_and_its_entries_stay(hr: Person, bot: Running, files: Files) -> None:
    files.write(files.read().replace("answer: 在 OA", "anwser: 在 OA"))
    await bot.library.refresh()
    page = await hr.get("/entries")
    assert "不认识的键“anwser”" in page.text and "年假有几天？" in page.text
    assert "不认识的键" in (await hr.get("/entries/annual-leave")).text
    refused = await hr.get("/entries/annual-leave/edit")
    assert refused.status == 409 and "错误" in refused.text


async def test_thousands_of_entries_come_in_pages(hr: Person, bot: Running, files: Files) -> None:
    await add_file(bot, files, "".join(f"- question: 第 {n} 个问题？\n  answer: 答 {n}。\n" for n in range(230)))
    assert "第 1 / 3 页" in (await hr.get("/entries")).text
    for page in ("3", "99", "x", "-1", "99999999"):
        assert (await hr.get(f"/entries?page={page}")).status == 200


# -- one entry ---------------------------------------------------------------------------------


async def test_the_page_of_an_entry_shows_all_of_it(hr: Person) -> None:
    page = await hr.get("/entries/annual-leave")
    for words in ("年假有几天？", "年休假天数", "<strong>5 天</strong>", "《员工手册》第 5 章", "年假没休完怎么办？",
                  "faq/leave.yaml:5", "生效"):  # fmt: skip
        assert words in page.text
    assert (await hr.get("/entries/nobody")).status == 404


async def test_any_id_has_a_page_that_can_be_edited(hr: Person, bot: Running, files: Files) -> None:
    await add_file(bot, files, ODD)
    for entry in bot.library.current.entries:
        page = await hr.get(entry_url(entry.id))
        assert page.status == 200 and f"<h1>{entry.question}" in page.text, entry.id
        if entry.place.file.endswith("more.yaml"):
            assert (await hr.get(entry_url(entry.id, "edit"))).fields()["question"] == entry.question
            tried = entry_url(entry.id) + ("&" if "?" in entry_url(entry.id) else "?") + "try=编号"
            assert "会" in (await hr.get(tried)).text


async def test_what_hr_wrote_is_never_markup(hr: Person, bot: Running, files: Files) -> None:
    text = """\
topic: <b>主题</b>
owner: "<img src=x onerror=alert(1)>"
entries:
- id: bad
  question: <script>alert(1)</script>怎么办？
  also: ["\\"><svg onload=alert(2)>"]
  answer: "<script>alert(3)</script> [点我](javascript:alert(4)) [好](https://oa.example/x) ![图](http://pic.example/a.png)"
  source: </textarea><script>alert(5)</script>
"""
    await add_file(bot, files, text)
    for path in (
        "/entries",
        "/entries?q=怎么办",
        "/entries/bad",
        "/entries/bad/edit",
        "/entries/bad/remove",
        "/try?q=<script>",
    ):
        page = await hr.get(path)
        assert page.status == 200
        lowered = page.text.lower()
        for danger in ("<script>", "<svg", "<img src=x", 'href="javascript', "<b>主题", "onerror=alert(1)>"):
            assert danger not in lowered, (path, danger)
    shown = (await hr.get("/entries/bad")).text
    assert "&lt;script&gt;alert(3)" in shown and "[点我](javascript:alert(4))" in shown
    assert 'href="https://oa.example/x"' in shown and "oa.example</span>" in shown
    # Nothing is loaded from elsewhere.
    assert "<img" not in shown.partition("<main")[2]


# -- trying a sentence -------------------------------------------------------------------------


async def test_a_sentence_is_tried_and_the_reasons_are_words(hr: Person) -> None:
    page = await hr.get("/try?q=生病了怎么请假呢")
    assert "会直接回答「病假怎么请？」" in page.text and "生病了怎么请假" in page.text
    assert "有把握" in page.text and "应该是这一条" in page.text
    beside = await hr.get("/entries/annual-leave?try=生病了怎么请假呢")
    assert "会直接回答「病假怎么请？」" in beside.text
    assert "就是这一条" in (await hr.get("/entries/sick-leave-apply?try=生病了怎么请假呢")).text
    part = await hr.get("/try?q=生病了怎么请假呢&part=1&entry=annual-leave")
    assert part.text.lstrip().startswith('<div class="tried') and "<html" not in part.text


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("明天会下雨吗", "不会回答"),
        ("你好", "打招呼"),
        ("帮助", "列出所有主题"),
        ("休假", "这是主题「休假」的名字"),
        ("年假怎么", "把握不够"),
    ],
)
async def test_every_decision_has_its_words(hr: Person, text: str, verdict: str) -> None:
    assert verdict in (await hr.get(f"/try?q={text}")).text


async def test_what_is_tried_is_what_the_bot_would_answer(hr: Person, bot: Running) -> None:
    twin = json.loads((await hr.get("/try.json?q=发工资是几号")).text)
    assert twin["decision"] == "answered" and twin["candidates"][0]["id"] == "payday"
    assert "每月 10 日" in twin["reply"] and twin["candidates"][0]["reasons"]


# -- JSON and headers --------------------------------------------------------------------------


async def test_lists_have_a_json_twin_under_both_names(hr: Person) -> None:
    one, two = await hr.get("/entries.json?topic=休假"), await hr.get("/entries?topic=休假&format=json")
    assert one.text == two.text and one.headers["Content-Type"].startswith("application/json")
    assert json.loads(one.text)["total"] == 4
    entry = json.loads((await hr.get("/entries/annual-leave.json")).text)
    assert entry["also"] == ["年休假天数", "一年能休多少天年假"] and entry["line"] == 5
    for path in ("/missed.json", "/history.json", "/stats.json"):
        assert (await hr.get(path)).headers["Content-Type"].startswith("application/json")
    assert json.loads((await hr.get("/entries/nobody.json")).text)["error"]


@pytest.mark.parametrize(
    "path", ["/", "/entries", "/login", "/nowhere", "/entries/nobody", "/healthz", "/entries.json"]
)
async def test_every_answer_carries_the_headers_that_keep_others_out(hr: Person, path: str) -> None:
    headers = (await hr.get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin" and "camera=()" in headers["Permissions-Policy"]


async def test_pages_hold_no_style_or_script_of_their_own(hr: Person) -> None:
    for path in ("/entries", "/entries/annual-leave?try=年假", "/entries/annual-leave/edit", "/entries/new"):
        text = (await hr.get(path)).text
        assert " style=" not in text and " onclick=" not in text and "<style" not in text
        assert text.count("<script") == 1 and 'src="/static/' in text


async def test_style_and_script_are_served_to_keep_and_nothing_else_is(hr: Person) -> None:
    page = (await hr.get("/entries")).text
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = await hr.get(style)
    assert answer.headers["Content-Type"].startswith("text/css") and "immutable" in answer.headers["Cache-Control"]
    for path in ("/static/x/server.py", "/static/x/..%2fserver.py", "/static/x/", "/static/../server.py"):
        assert (await hr.get(path)).status == 404


async def test_a_message_cannot_be_put_into_our_mouth(hr: Person) -> None:
    assert 'role="status">已保存' in (await hr.get("/entries?done=saved")).text
    assert "您的密码" not in (await hr.get("/entries?done=您的密码过期了")).text


# -- the parts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**粗** *斜*", "<p><strong>粗</strong> <em>斜</em></p>"),
        ("# 大\n小", "<h1>大</h1><p>小</p>"),
        ("- 甲\n- 乙", "<ul><li>甲</li><li>乙</li></ul>"),
        ("3. 甲\n4. 乙", '<ol><li value="3">甲</li><li value="4">乙</li></ol>'),
        ("> 灰", "<blockquote><p>灰</p></blockquote>"),
        ("一  \n二\n三", "<p>一<br>二 三</p>"),
        ("<b>x</b> & y", "<p>&lt;b&gt;x&lt;/b&gt; &amp; y</p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html,1)", "<p>[x](data:text/html,1)</p>"),
        ("[x](https://)", "<p>[x](https://)</p>"),
        ("[x](http://[::1)", "<p>[x](http://[::1)</p>"),
        ("[问](dtmd://dingtalkclient/sendMessage?content=a)", '<p><span class="tap">问</span></p>'),
        ("5 * 3 * 2 ** 2", "<p>5 * 3 * 2 ** 2</p>"),
        ("| 表 | 格 |", "<p>| 表 | 格 |</p>"),
        ("`代码`", "<p>`代码`</p>"),
    ],
)
def test_a_bubble_knows_what_dingtalk_knows(markdown: str, html: str) -> None:
    assert markdown_to_html(markdown) == html


def test_a_link_shows_where_it_leads() -> None:
    assert markdown_to_html("[工资](https://pay.example/x?a=1&b=2)") == (
        '<p><a href="https://pay.example/x?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">工资</a>'
        '<span class="host">pay.example</span></p>'
    )


def test_differences_are_marked_word_by_word() -> None:
    left, right = side_by_side("年假有 5 天，可以结转。", "年假有 10 天，可以结转。")
    assert [(p.text, p.changed) for p in left] == [("年假有 ", False), ("5", True), (" 天，可以结转。", False)]
    assert "".join(p.text for p in right) == "年假有 10 天，可以结转。"


@pytest.mark.parametrize("text", ["", "一样"])
def test_without_a_difference_nothing_is_marked(text: str) -> None:
    left, right = side_by_side(text, text)
    assert left == right and not any(p.changed for p in left)


def test_the_address_of_an_entry_is_plain_where_its_id_is() -> None:
    assert entry_url("年假") == "/entries/%E5%B9%B4%E5%81%87"
    assert entry_url("new", "edit") == "/entries/=/edit?id=new"


@pytest.mark.parametrize(
    ("part", "asked", "shown"),
    [
        ("多少点开门", "食堂几点开门", ["点开门"]),
        ("年假怎么办", "年假该怎么办", ["年假", "怎么办"]),
        ("wifi", "ＷｉＦｉ 密码", ["wifi"]),
        ("多少", "几个", []),
    ],
)
def test_what_a_wording_lacks_is_said_in_the_askers_words(part, asked, shown):
    assert stretches_in([part], asked) == shown
