"""为什么, 谁负责, 热门: what may be known of an answer, by whom and where."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import date

import pytest

from faqbot.knowledge.editing.entry_editor import add_wording, change_entry
from faqbot.knowledge.editing.entry_fields import entry_to_fields
from faqbot.knowledge.editing.entry_spans import Outline
from faqbot.knowledge.editing.external_changes import record_differences
from faqbot.knowledge.editing.revision import Proposal
from faqbot.knowledge.editing.workspace import Workspace
from faqbot.knowledge.files.folder import FolderSource
from faqbot.model.differences import Difference, DifferenceKind
from faqbot.search.index import Index


async def test_why_says_what_matched_and_who_stands_for_it(talk):
    await talk("小李", "年假有几天", group=None)
    said = await talk("小李", "为什么", group=None)
    for part in ("答的是：年假有几天", "把握：一字不差", "来源：", "负责人：休假组"):
        assert part in said
    assert said.count("年假有几天") == 1


async def test_why_names_the_wording_and_another_confidence_where_the_words_differ(talk):
    await talk("小李", "请问发薪日究竟是哪天", group=None)
    said = await talk("小李", "依据", group=None)
    assert "答的是：每个月几号发工资" in said and "对上的问法：发薪日是哪天" in said and "一字不差" not in said


async def test_why_says_that_the_asker_picked_from_a_list(talk):
    await talk("小王", "每个月几号发工资", group=None)
    await talk("小李", "热门", group=None)
    await talk("小李", "1", group=None)
    assert "把握：您从列表里选的" in await talk("小李", "为什么这么说", group=None)


async def test_why_names_what_differs_in_the_entry_that_was_picked(talk, monkeypatch):
    difference = Difference(DifferenceKind.NUMBER, "5天", "10天")
    search_batch = Index.search_batch

    def differing(self, queries, limit=5):
        rankings = search_batch(self, queries, limit)
        return [tuple(replace(c, differs=(difference,)) for c in ranking) for ranking in rankings]

    monkeypatch.setattr(Index, "search_batch", differing)
    assert "不过您问 5 天，这一条说的是 10 天" in await talk("小李", "年假有几天", group=None)
    await talk("小李", "1", group=None)
    said = await talk("小李", "为什么", group=None)
    assert "把握：您从列表里选的\n- 不一样的地方：您问 5 天，这一条说的是 10 天" in said


@pytest.mark.parametrize("text", ["为什么", "谁负责"])
async def test_another_persons_answer_is_not_the_askers(talk, text):
    await talk("小王", "年假有几天")
    said = await talk("小李", text)
    assert "没有回答过您" in said and "@我" in said and "年假" not in said and "休假组" not in said


async def test_a_private_answer_is_explained_in_the_single_chat_only(talk):
    await talk("小李", "法院要扣我的工资怎么办", group=None)
    assert "答的是：法院要扣我的工资怎么办" in await talk("小李", "为什么", group=None)
    assert "法院" not in await talk("小李", "为什么")


async def test_an_answer_made_private_since_is_not_explained_in_the_group(talk, bot, knowledge):
    await talk("小李", "每个月几号发工资")
    file = knowledge / "faq/pay.yaml"
    written = file.read_text(encoding="utf-8")
    file.write_text(written.replace("    answer: 每月 10 日。", "    answer: 每月 10 日。\n    private: true"), "utf-8")
    await bot.library.refresh()
    said = await talk("小李", "为什么")
    assert "单聊" in said and "发工资" not in said


async def test_the_keeper_is_named_with_how_to_reach_them(talk):
    await talk("小李", "年假有几天")
    said = await talk("小李", "找谁")
    assert "休假组" in said and "@我 人工" in said


async def test_nobody_is_promised_where_nobody_is_named(talk, bot, knowledge):
    nobody = "我记下来，HR 会在控制台里看到"
    await talk("小李", "每个月几号发工资")
    said = await talk("小李", "谁负责")
    assert "没有写负责人。要找人，发「@我 人工」，" + nobody in said
    assert "HR 会在控制台里看到" in await talk("小李", "人工")
    await talk("小李", "年假有几天")
    assert "由 **休假组** 负责" in (said := await talk("小李", "谁负责")) and nobody in said
    assert nobody in await talk("小王", "谁负责")
    await talk("小李", "明天会下雨吗")
    assert "人工」，后面写上问题，" + nobody in await talk("小李", "谁负责")


async def test_who_is_promised_is_who_is_asked(talk, bot, knowledge):
    keeper = talk.ding.world.person("张主管").id
    (knowledge / "groups.yaml").write_text(f"people:\n  休假组: [{keeper}]\n", encoding="utf-8")
    await bot.library.refresh()
    await talk("小李", "年假有几天", group=None)
    assert "发「人工」，我请休假组来答" in await talk("小李", "谁负责", group=None)
    assert "请休假组来答，单号" in await talk("小李", "人工", group=None)


async def test_the_hottest_come_by_people_not_by_questions(talk):
    for name, text in (("小李", "年假有几天"), ("小王", "年假有几天"), *[("小赵", "每个月几号发工资")] * 3):
        await talk(name, text, group=None)
    said = await talk("小李", "热门")
    assert said.index("1. 年假有几天") < said.index("2. 每个月几号发工资")
    assert "每月 10 日" in await talk("小李", "2")


async def test_private_entries_are_never_hot(talk):
    await talk("小李", "法院要扣我的工资怎么办", group=None)
    said = await talk("小李", "大家都在问什么", group=None)
    assert "法院" not in said and "还没有热门" in said


# -- when the answer was changed last ----------------------------------------------------------

PAYDAY = "每个月几号发工资"
CITIES = """
- question: 产假有多少天？
  also: [产假几天]
  ask: {city: 您在哪个城市？}
  answers: {上海: 158 天, 北京: 128 天}
- question: 工会福利有什么？
  answer: 生日蛋糕。
"""


@pytest.fixture
def at(bot, settings):
    return Workspace(bot.library, FolderSource(settings.knowledge), bot.store, date.today)


async def saved(at, who, kind="change", **fields):
    """Somebody changes the entry of the payday."""
    loaded = await at.load(at.snapshot.entry("payday"))
    draft = replace(entry_to_fields(loaded.entry), **fields)
    await at.save(who, await loaded.propose(change_entry, draft), kind)
    # The bot sees the file as another's, which has to settle.
    async with asyncio.timeout(60):
        while entry_to_fields(at.as_written(at.snapshot.entry("payday"))) != draft:
            await at.base.refresh()
            await asyncio.sleep(0.05)


async def last_change(talk, question=PAYDAY):
    await talk("小李", question, group=None)
    found = re.findall("- 上次修改：(.*)", await talk("小李", "为什么", group=None))
    return [re.sub(r"^\d+ 月 \d+ 日", "某日", line) for line in found]


async def test_why_says_who_changed_the_answer_last(talk, at):
    assert await last_change(talk) == []
    await saved(at, "张姐", answer="每月 12 日。")
    assert await last_change(talk) == ["某日，张姐"]
    await saved(at, "李主管", answer="每月 10 日。", kind="restore")
    assert await last_change(talk) == ["某日，李主管"]
    await saved(at, "@所有人 `李` http://x.y", answer="每月 11 日。")
    assert await last_change(talk) == ["某日，＠所有人 ｀李｀ http：／／x.y"]
    await saved(at, "", answer="每月 15 日。")
    assert await last_change(talk) == ["某日"]


async def test_a_wording_that_was_added_is_no_change_of_the_answer(talk, at):
    await saved(at, "张姐", answer="每月 12 日。")
    proposal = await (await at.load(at.snapshot.entry("payday"))).propose(add_wording, "几号打钱")
    await at.save("李主管", proposal, "change")
    assert await last_change(talk) == ["某日，张姐"]


async def test_a_change_in_the_files_shows_as_one_even_where_the_entry_moved(talk, at, knowledge):
    await saved(at, "张姐", answer="每月 12 日。")
    known = await at.source.read()
    pay = (knowledge / "faq/pay.yaml").read_text(encoding="utf-8")
    payday = pay.partition("entries:\n")[2].partition("  - id: garnishment")[0]
    (knowledge / "faq/pay.yaml").write_text(pay.replace(payday, ""), encoding="utf-8")
    (knowledge / "faq/salary.yaml").write_text(f"entries:\n{payday}", encoding="utf-8")
    await at.base.refresh()
    await record_differences(at, known)
    assert await last_change(talk) == ["某日，在知识文件里"]


async def test_numbers_that_are_kept_elsewhere_are_named_as_such(talk, at, knowledge):
    (knowledge / "facts.yaml").write_text("发薪日: 12\n", encoding="utf-8")
    await saved(at, "张姐", answer="每月 {facts.发薪日} 日。")
    assert await last_change(talk) == ["某日，张姐（里面会变的数字另外更新）"]


async def test_an_entry_without_a_written_id_is_known_by_that_within_its_file(talk, at, knowledge):
    (knowledge / "faq/union.yaml").write_text(CITIES, encoding="utf-8")
    (knowledge / "faq/old-union.yaml").write_text(
        "- question: 工会福利有什么\n  answer: 没有。\n  draft: true\n", "utf-8"
    )
    await at.base.refresh()
    entry = next(e for e in at.snapshot.entries if e.answer == "生日蛋糕。")
    loaded = await at.load(entry)
    assert entry.id != loaded.entry.id
    after = Outline(loaded.outline.raw.replace("蛋糕".encode(), "卡片".encode()), loaded.file)
    await at.save("张姐", Proposal(loaded.file, loaded.outline, after, loaded.entry.id), "change")
    assert await last_change(talk, "工会福利有什么") == ["某日，张姐"]


# -- an answer that depends on the asker -------------------------------------------------------


async def test_why_names_what_the_case_was_chosen_by_and_the_question_before_the_reply(talk, at, knowledge):
    (knowledge / "faq/union.yaml").write_text(CITIES, encoding="utf-8")
    await at.base.refresh()
    await talk("小李", "产假几天", group=None)
    await talk("小李", "上海", group=None)
    said = await talk("小李", "为什么", group=None)
    for part in ("答的是：产假有多少天？", "对上的问法：产假几天", "把握：一字不差", "哪一种情况：按您说的「上海」"):
        assert part in said
    assert "列表" not in said
