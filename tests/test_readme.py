"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from faqbot.cli import cli
from faqbot.settings import TABLE

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "faqbot"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTORS = README.partition("### For contributors")[2]


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


def test_every_module_that_is_named_exists() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)", README)
    assert named and [name for name in named if not any((root / name).is_file() for root in (PACKAGE, ROOT))] == []


def test_every_package_stands_in_the_map_for_contributors() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    shown = set(re.findall(r"`([a-z]+)`", "".join(re.findall(r"^\|[^|]*\|([^|]*)\|", CONTRIBUTORS, re.M))))
    assert packages <= shown, packages - shown


def test_every_word_of_the_glossary_is_a_name_in_the_code() -> None:
    glossary = CONTRIBUTORS.partition("| word | type |")[2].partition("\n\n")[0]
    words = {word for row in re.findall(r"^\|[^|]*\|([^|]*)\|", glossary, re.M) for word in re.findall(r"`(\w+)`", row)}
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    defined = set(re.findall(r"^(?:class|(?:async )?def) (\w+)|^(\w+)(?:: \w+)? = ", code, re.M))
    assert words and words <= {name for pair in defined for name in pair}
