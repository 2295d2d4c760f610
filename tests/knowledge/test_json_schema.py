"""The schema that editors get: every key of the files, every shipped file fits, and slips do not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from faqbot.cli import cli
from faqbot.knowledge.entry_parser import parse_file
from faqbot.knowledge.json_schema import schema
from faqbot.yamltext import key_names

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("knowledge/faq/*.yaml"), *ROOT.glob("tests/samples/knowledge/faq/*.yaml")])
SCHEMA = json.loads(json.dumps(schema()))
GOOD = "- question: 年假\n  answer: 五天\n"


class Editor(yaml.SafeLoader):
    """YAML as editors read it (1.2): dates are texts, and only true and false are no texts."""


Editor.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":timestamp", ":bool"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Editor.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))

KINDS = {"object": dict, "array": list, "string": str, "number": (int, float), "boolean": bool, "null": type(None)}
# What is only for people, or is looked at together with another word.
SILENT = {"$schema", "$defs", "title", "description", "additionalProperties"}


def fits(value, rule):
    """Whether a value fits a rule. Knows the words of a JSON Schema that ours uses, and stops at any other."""
    return all(word in SILENT or RULES[word](value, told, rule) for word, told in rule.items())


def is_kind(value, kinds):
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return any(isinstance(value, KINDS[k]) and not (k == "number" and isinstance(value, bool)) for k in kinds)


def has_properties(value, properties, rule):
    if not isinstance(value, dict):
        return True
    others = rule.get("additionalProperties", True)
    return all(fits(v, properties[k]) if k in properties else others is not False for k, v in value.items())


RULES = {
    "$ref": lambda value, told, rule: fits(value, SCHEMA["$defs"][told.removeprefix("#/$defs/")]),
    "type": lambda value, told, rule: is_kind(value, told) and has_other_values(value, rule),
    "anyOf": lambda value, told, rule: any(fits(value, r) for r in told),
    "allOf": lambda value, told, rule: all(fits(value, r) for r in told),
    "enum": lambda value, told, rule: any(value == one and type(value) is type(one) for one in told),
    "items": lambda value, told, rule: not isinstance(value, list) or all(fits(v, told) for v in value),
    "required": lambda value, told, rule: not isinstance(value, dict) or all(k in value for k in told),
    "pattern": lambda value, told, rule: not isinstance(value, str) or re.search(told, value) is not None,
    "properties": has_properties,
    "minProperties": lambda value, told, rule: not isinstance(value, dict) or len(value) >= told,
    "maxProperties": lambda value, told, rule: not isinstance(value, dict) or len(value) <= told,
}  # fmt: skip


def has_other_values(value, rule):
    """The values of a mapping whose keys are free."""
    others = rule.get("additionalProperties")
    if not isinstance(others, dict) or not isinstance(value, dict):
        return True
    return all(fits(v, others) for k, v in value.items() if k not in rule.get("properties", {}))


def as_editors_read(text):
    return yaml.load(text, Loader=Editor)


def test_the_command_prints_it():
    result = CliRunner().invoke(cli, ["schema"])
    assert result.exit_code == 0 and json.loads(result.stdout) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_has_every_key_in_both_languages_each_with_words_about_it():
    defs = SCHEMA["$defs"]
    assert set(defs["file"]["properties"]) == set(key_names.FILE_KEYS)
    assert set(defs["entry"]["properties"]) == set(key_names.ENTRY_KEYS)
    assert set(defs["period"]["properties"]) == set(key_names.PERIOD_KEYS)
    told = [p["description"] for d in defs.values() for p in d["properties"].values()]
    assert all(re.search("[\u4e00-\u9fff]", words) for words in told)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_every_shipped_file_fits(path):
    assert fits(as_editors_read(path.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD,
        f"entries:\n{GOOD}",
        "主题: 休假\n负责人: 8001\n条目:\n  - 问: 年假\n    答: 9:30\n    也问: 年休假\n    私聊: 是\n",
        GOOD + "  valid: {from: 2026-01-01}\n  review: 2026年12月1日\n  departments: [1001]\n  draft: true\n",
        "- 问题: 产假\n  追问: {city: 哪里}\n  答案按:\n    上海: 158\n    其他: 98 天\n",
        GOOD + "  有效期: {从: 2026-01-01, 到: }\n",
    ],
)
def test_what_is_right_fits(text):
    assert fits(as_editors_read(text), SCHEMA)
    assert parse_file("faq/a.yaml", text.encode()).problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "年假",
        "- question: 年假\n",
        "- answer: 五天\n",
        "- question: 年假\n  anwser: 五天\n",
        "- question: [年假]\n  answer: 五天\n",
        "topic: 休假\n",
        "entries:\n  question: 年假\n  answer: 五天\n",
        GOOD + "  valid: 2026年\n",
        GOOD + "  valid: {from: 明天}\n",
        GOOD + "  review: 年底\n",
        GOOD + "  private: 可能\n",
        GOOD + "  also: {a: b}\n",
        "- question: 产假\n  ask: {a: 甲, b: 乙}\n  answers: {x: y}\n",
        "- question: 产假\n  ask: {a: 甲}\n  answers: 158\n",
    ],
)
def test_what_is_wrong_does_not_fit(text):
    assert not fits(as_editors_read(text), SCHEMA)
    assert parse_file("faq/a.yaml", text.encode()).problems != ()
