"""自测题: kept and taken out with one click, asked again before an edit is saved, and told where it would get worse."""

from __future__ import annotations

import pytest

from faqbot.app.running import Running
from tests.cli.test_cli import faqbot
from tests.console.conftest import Files, Person

EDIT = "/entries/annual-leave/edit"


async def test_a_right_answer_is_kept_with_one_click_and_taken_out_with_another(
    hr: Person, bot: Running, files: Files
) -> None:
    page = await hr.get("/try?q=年假有几天")
    assert "记为自测题" in page.text and 'action="/entries/annual-leave/saved"' in page.text
    kept = await hr.post("/entries/annual-leave/saved", {"text": "年假有几天", "do": "keep"})
    assert kept.path.startswith("/try?q=") and "已记为自测题" in kept.text and "不再作自测题" in kept.text
    assert files.read("evaluation.yaml") == "- {q: 年假有几天, id: annual-leave}\n"
    again = await hr.post("/entries/annual-leave/saved", {"text": "年假有几天", "do": "keep"})
    assert again.status == 200 and files.read("evaluation.yaml").count("\n") == 1
    await hr.post("/entries/annual-leave/saved", {"text": "年假有几天", "do": "remove"})
    assert files.read("evaluation.yaml") == "" and bot.library.current.saved == ()


async def test_what_would_get_worse_is_shown_before_saving(hr: Person, files: Files) -> None:
    await hr.post("/entries/annual-leave/saved", {"text": "年假有几天", "do": "keep"})
    fields = (await hr.get(EDIT)).fields()
    harmless = await hr.post(EDIT, fields | {"answer": "满一年 5 天。", "do": "check"})
    assert "1 道自测题都没有变差" in harmless.text
    worse = await hr.post(
        EDIT, fields | {"question": "春节放几天？", "also": "过年休息", "not_": "年假有几天", "do": "check"}
    )
    assert "都没有变差" not in worse.text
    table = worse.text.partition("<h3>自测题</h3>")[2].partition("</table>")[0]
    assert "年假有几天" in table and "回答「年假有几天？」" in table


async def test_a_question_about_an_entry_that_is_gone_is_told_by_check_and_console(
    hr: Person, bot: Running, files: Files
) -> None:
    files.write("- {q: 年假有几天, id: annual-leav}\n", "evaluation.yaml")
    done = faqbot(files.folder.parent, "check", str(files.folder))
    assert done.returncode == 0
    assert "evaluation.yaml:1: 提醒：自测题“年假有几天”要答的条目“annual-leav”不存在" in done.stdout


def test_evaluate_takes_the_saved_questions_when_no_file_is_named(tmp_path, knowledge) -> None:
    at = {"FAQBOT_KNOWLEDGE": str(knowledge)}
    done = faqbot(tmp_path, "evaluate", **at)
    assert done.returncode == 2 and "没有 evaluation.yaml" in done.stderr
    (knowledge / "evaluation.yaml").write_text("- {q: 年假有几天, id: annual-leave}\n", encoding="utf-8")
    done = faqbot(tmp_path, "evaluate", "--json", "--fail-under", "1", **at)
    assert done.returncode == 0 and '"answered_rightly": 1' in done.stdout


async def test_a_file_of_saved_questions_in_another_encoding_is_explained_and_stays(
    hr: Person, bot: Running, files: Files
) -> None:
    written = "- {q: 年假有几天, id: annual-leave}\n"
    files.write(written, "evaluation.yaml")
    await bot.library.refresh()
    path = files.folder / "evaluation.yaml"
    path.write_bytes(written.encode("gbk"))
    for form in ({"text": "病假怎么请", "do": "keep"}, {"text": "年假有几天", "do": "remove"}):
        page = await hr.post("/entries/annual-leave/saved", form)
        assert page.status == 422 and "evaluation.yaml:1：文件不是 UTF-8 编码" in page.text
    assert path.read_bytes() == written.encode("gbk")


@pytest.mark.parametrize("head", ["", "# 自测题\n", "# 自测题"])
async def test_a_question_is_saved_below_comments(hr: Person, files: Files, head: str) -> None:
    files.write(head, "evaluation.yaml")
    await hr.post("/entries/annual-leave/saved", {"text": "年假有几天", "do": "keep"})
    assert files.read("evaluation.yaml").split() == [
        *head.split(),
        *["-", "{q:", "年假有几天,", "id:", "annual-leave}"],
    ]


async def test_wrong_forms_write_nothing(hr: Person, files: Files) -> None:
    before = files.all()
    assert (await hr.post("/entries/nobody/saved", {"text": "甲"})).status == 404
    assert (await hr.post("/entries/annual-leave/saved", {"text": "  "})).status == 404
    files.write("q: 甲\n", "evaluation.yaml")
    assert (await hr.post("/entries/annual-leave/saved", {"text": "年假有几天"})).status == 422
    assert files.all() == before | {"evaluation.yaml": "q: 甲\n".encode()}
