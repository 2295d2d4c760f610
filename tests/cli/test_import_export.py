"""`faqbot export` and `faqbot import` as a person runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.cli.test_cli import faqbot
from tests.conftest import KNOWLEDGE


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["知识.xlsx", "知识.csv"])
def test_export_and_import_again_find_nothing_to_do(tmp_path: Path, knowledge: Path, name: str) -> None:
    done = faqbot(tmp_path, "export", name)
    assert done.returncode == 0 and done.stdout.startswith("已把 ") and done.stderr == ""
    done = faqbot(tmp_path, "import", name, "--write", FAQBOT_KNOWLEDGE=str(knowledge))
    assert done.returncode == 0 and done.stdout.startswith("新增 0 条，修改 0 条，没有变化 ") and done.stderr == ""
    assert contents(knowledge) == contents(KNOWLEDGE)


def test_an_import_is_a_trial_until_it_is_to_write(tmp_path: Path, knowledge: Path) -> None:
    before = contents(knowledge)
    faqbot(tmp_path, "export", "k.xlsx")
    book = load_workbook(tmp_path / "k.xlsx")
    sheet = book["知识"]
    sheet["H2"].value = "改过的答案"
    sheet.delete_rows(3)
    book.save(tmp_path / "k.xlsx")
    at = {"FAQBOT_KNOWLEDGE": str(knowledge)}
    done = faqbot(tmp_path, "import", "k.xlsx", **at)
    assert done.returncode == 0 and contents(knowledge) == before
    assert "修改 1 条" in done.stdout and "→ 改过的答案" in done.stdout and "确认后加 --write" in done.stdout
    done = faqbot(tmp_path, "import", "k.xlsx", "--write", **at)
    assert done.returncode == 0 and "已写进知识文件" in done.stdout
    changed = [name for name, content in contents(knowledge).items() if before[name] != content]
    assert len(changed) == 1 and "改过的答案" in contents(knowledge)[changed[0]].decode()
    done = faqbot(tmp_path, "import", "k.xlsx", "--write", "--delete-missing", **at)
    assert done.returncode == 0 and "已删除" in done.stdout
    assert "没有变化" in faqbot(tmp_path, "import", "k.xlsx", **at).stdout
    assert faqbot(tmp_path, "check", **at).returncode == 0


def test_problems_go_to_stderr_with_exit_one_and_nothing_is_written(tmp_path: Path, knowledge: Path) -> None:
    before = contents(knowledge)
    (tmp_path / "k.csv").write_text(
        "编号,问题,答案\nannual-leave,新的问法,新的答案\n,,没有问题的答案\n", encoding="gb18030"
    )
    done = faqbot(tmp_path, "import", "k.csv", "--write", FAQBOT_KNOWLEDGE=str(knowledge))
    assert done.returncode == 1 and "错误：第 3 行“问题”：没有写问题" in done.stderr
    assert "什么都没有写" in done.stdout and contents(knowledge) == before


def test_an_export_overwrites_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "k.csv").write_text("mine")
    done = faqbot(tmp_path, "export", "k.csv")
    assert done.returncode == 2 and "--force" in done.stderr and (tmp_path / "k.csv").read_text() == "mine"
    assert faqbot(tmp_path, "export", "k.csv", "--force").returncode == 0


def test_an_export_of_broken_knowledge_says_where_and_writes_nothing(tmp_path: Path, knowledge: Path) -> None:
    (knowledge / "faq" / "bad.yaml").write_text("- question: 甲\n", encoding="utf-8")
    done = faqbot(tmp_path, "export", "k.xlsx", FAQBOT_KNOWLEDGE=str(knowledge))
    assert done.returncode == 1 and "faq/bad.yaml:1: 错误：没有答案" in done.stderr
    assert not (tmp_path / "k.xlsx").exists()


def test_the_files_themselves_go_into_an_empty_folder_only(tmp_path: Path) -> None:
    done = faqbot(tmp_path, "export", "--yaml", "copy")
    assert done.returncode == 0
    copied = contents(tmp_path / "copy")
    assert copied and copied == {name: content for name, content in contents(KNOWLEDGE).items() if name in copied}
    assert {name for name in contents(KNOWLEDGE) if name.startswith("faq/")} <= set(copied)
    done = faqbot(tmp_path, "export", "--yaml", "copy")
    assert done.returncode == 2 and "不是空目录" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export",), "二者选一"),
        (("export", "k.csv", "--yaml", "d"), "二者选一"),
        (("export", "k.pdf"), ".xlsx 或 .csv"),
        (("export", "no/such/folder/k.csv"), "写不了"),
        (("import", "none.xlsx"), "读不到"),
        (("import", "notes.md"), "只认得 .xlsx 和 .csv"),
        (("import", "empty.csv"), "没有找到表头"),
    ],
)
def test_wrong_usage_is_exit_two_in_one_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "notes.md").write_text("x")
    (tmp_path / "empty.csv").write_text("")
    done = faqbot(tmp_path, *arguments)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_a_missing_knowledge_folder_is_exit_two(tmp_path: Path) -> None:
    for command in ("export", "import"):
        done = faqbot(tmp_path, command, "k.csv", FAQBOT_KNOWLEDGE="gone")
        assert done.returncode == 2 and "找不到知识目录" in done.stderr


def test_the_own_table_comes_back_with_results(tmp_path: Path, knowledge: Path) -> None:
    before = contents(knowledge)
    (tmp_path / "k.csv").write_text(
        "编号,问题,答案\nannual-leave,新的问法,新的答案\n,,没有问题的答案\n", encoding="utf-8"
    )
    at = {"FAQBOT_KNOWLEDGE": str(knowledge)}
    assert "加 --report 结果.csv" in faqbot(tmp_path, "import", "k.csv", **at).stderr
    done = faqbot(tmp_path, "import", "k.csv", "--write", "--report", "back.csv", **at)
    assert done.returncode == 1 and "写在 back.csv" in done.stderr and contents(knowledge) == before
    assert (tmp_path / "back.csv").read_text(encoding="utf-8-sig").split("\n")[2].endswith("没有写问题")
    for name in ("back.csv", "back.xlsx"):
        done = faqbot(tmp_path, "import", "k.csv", "--write", "--report", name, **at)
        assert done.returncode == 2 and "--report" in done.stderr and contents(knowledge) == before


def test_what_was_written_is_told_also_where_the_report_cannot_be_saved(tmp_path: Path, knowledge: Path) -> None:
    (tmp_path / "k.csv").write_text("编号,答案\nannual-leave,新的答案\n", encoding="utf-8")
    at = {"FAQBOT_KNOWLEDGE": str(knowledge)}
    done = faqbot(tmp_path, "import", "k.csv", "--write", "--report", "gone/back.csv", **at)
    assert done.returncode == 2 and "没有这个文件夹" in done.stderr and "已写进知识文件" in done.stdout
    assert "新的答案" in (knowledge / "faq" / "leave.yaml").read_text(encoding="utf-8")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="需要 /proc（Linux）")
def test_a_table_without_the_entries_of_a_file_that_cannot_be_read_is_not_written(
    tmp_path: Path, knowledge: Path
) -> None:
    (knowledge / "faq" / "odd.yaml").symlink_to("/proc/self/mem")
    done = faqbot(tmp_path, "export", "k.csv", FAQBOT_KNOWLEDGE=str(knowledge))
    assert done.returncode == 2 and "odd.yaml:1: 错误：读不了这个文件" in done.stderr
    assert not (tmp_path / "k.csv").exists()
