"""What import-linter cannot say of the walls between packages; its contracts stand in `.importlinter`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "faqbot"
PACKAGES = sorted(path for path in PACKAGE.rglob("__init__.py") if path.parent.name not in ("cli", "faqbot"))


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: str(path.parent.relative_to(PACKAGE)))
def test_a_package_says_in_one_docstring_what_it_is_for_and_holds_no_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) and len(tree.body) == 1


def test_the_root_holds_errors_settings_and_the_entry_point_alone() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py", "settings.py"}
