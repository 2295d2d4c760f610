"""A folder to start from: it has no problem, it answers, and nothing that was there is touched."""

from __future__ import annotations

import re
import stat
from datetime import date

import pytest
from dotenv import dotenv_values
from typer.testing import CliRunner

from faqbot.cli import cli
from faqbot.cli.init_folder import create_folder, dotenv_text
from faqbot.dialogue.answer_policy import judge
from faqbot.errors import FaqbotError
from faqbot.knowledge.files.folder import FolderSource
from faqbot.knowledge.snapshot import build_snapshot
from faqbot.model.decisions import Answered
from faqbot.search.thresholds import FITTED_THRESHOLDS
from faqbot.settings import TABLE, Settings

TODAY = date(2026, 11, 25)
RUN = CliRunner()


@pytest.fixture(autouse=True)
def own_settings(monkeypatch):
    for name, _, _ in TABLE:
        monkeypatch.delenv(name, raising=False)


def test_a_new_folder_has_no_problem_and_answers(tmp_path, monkeypatch):
    result = RUN.invoke(cli, ["init", str(tmp_path / "bot")])
    assert result.exit_code == 0 and "接下来：\n1. " in result.stdout and "cd " in result.stdout
    monkeypatch.chdir(tmp_path / "bot")
    checked = RUN.invoke(cli, ["check"])
    assert (checked.exit_code, checked.stdout) == (0, "") and "0 个错误，0 个提醒" in checked.stderr
    assert "**10 天**" in RUN.invoke(cli, ["ask", "年假几天"]).stdout


def test_the_examples_are_few_and_each_wording_finds_its_own(tmp_path):
    create_folder(tmp_path)
    snapshot = build_snapshot(FolderSource(tmp_path / "knowledge").read_now(), label="knowledge", today=TODAY)
    assert snapshot.problems == () and 5 <= len(snapshot.entries) <= 10
    for entry in snapshot.entries:
        for wording in entry.wordings:
            decision, _ = judge(wording, snapshot.index, limits=FITTED_THRESHOLDS["strict"], today=TODAY)
            assert isinstance(decision, Answered) and decision.entry is entry, wording


def test_every_file_explains_itself_and_the_ideas_are_shown(tmp_path):
    create_folder(tmp_path)
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "knowledge").rglob("*.yaml")}
    assert all(text.startswith("# ") for text in texts.values())
    whole = "\n".join(texts.values())
    for idea in ("也问:", "不是:", "答案: |", "{facts.", "有效期:", "复核:", "追问:", "答案按:", "私聊:", "](https://"):
        assert idea in whole, idea


def test_the_settings_wait_in_a_file_that_only_its_owner_reads(tmp_path):
    create_folder(tmp_path)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    values = dotenv_values(tmp_path / ".env")
    assert values == {"DINGTALK_CLIENT_ID": "", "DINGTALK_CLIENT_SECRET": ""}


def test_every_setting_stands_there_with_its_default(tmp_path):
    awake = re.sub("^# (?=[A-Z_]+=)", "", dotenv_text(), flags=re.M)
    path = tmp_path / ".env"
    path.write_text(awake, encoding="utf-8")
    values = dotenv_values(path)
    assert list(values) == [name for name, _, _ in TABLE]
    assert Settings.load({name: value for name, value in values.items() if value}) == Settings.load({})


def test_what_exists_is_left_as_it_is(tmp_path):
    (tmp_path / ".env").write_text("FAQBOT_PORT=1\n")
    (tmp_path / "knowledge" / "faq").mkdir(parents=True)
    started = create_folder(tmp_path)
    assert started.created == () and started.existing == ("knowledge", ".env")
    assert (tmp_path / ".env").read_text() == "FAQBOT_PORT=1\n"
    assert list((tmp_path / "knowledge" / "faq").iterdir()) == []
    said = RUN.invoke(cli, ["init", str(tmp_path)])
    assert said.exit_code == 0 and said.stdout.count("已有，没有动") == 2


def test_a_link_to_elsewhere_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / ".env").symlink_to(elsewhere)
    (tmp_path / "bot" / "knowledge").symlink_to(tmp_path / "nowhere")
    assert create_folder(tmp_path / "bot").created == ()
    assert not elsewhere.exists() and not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "bot").write_text("")
    with pytest.raises(FaqbotError, match="写不了"):
        create_folder(tmp_path / "bot")
    result = RUN.invoke(cli, ["init", str(tmp_path / "bot")])
    assert result.exit_code == 2 and "写不了" in result.stderr
