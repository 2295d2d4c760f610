"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from faqbot.cli import cli
from faqbot.settings import TABLE

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_table_of_settings_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `((?:FAQBOT|DINGTALK)_\w+)` \| (.*?) \| (.*?) \|$", README, re.M)
    shown = [(name, "" if default == "—" else default.strip("`"), meaning) for name, default, meaning in rows]
    assert shown == list(TABLE)


def test_every_command_is_described() -> None:
    for name in get_command(cli).commands:  # type: ignore[attr-defined]
        assert re.search(rf"^\| `(?:faqbot )?{name}\b", README, re.M), name


def test_the_two_first_commands_stand_alone() -> None:
    assert "```bash\npip install . && faqbot sandbox\n```" in README
    assert "```bash\npip install '.[test]' && pytest\n```" in README
