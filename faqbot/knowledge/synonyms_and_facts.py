"""Parses `synonyms.yaml` and `facts.yaml`. Pure."""

from __future__ import annotations

from faqbot.model.entries import Problem
from faqbot.yamltext.field_reader import FieldReader
from faqbot.yamltext.nodes import Mapping, Scalar, Sequence


def parse_synonyms(name: str, raw: bytes) -> tuple[list[list[str]], list[Problem]]:
    """Read `synonyms.yaml`: a list of groups of words that mean the same."""
    reader = FieldReader(name)
    root = reader.parse(raw)
    groups: list[list[str]] = []
    if root is not None:
        if not isinstance(root, Sequence):
            reader.error(root.line, "同义词文件应是一个列表，每行一组，例如 - [公积金, 住房公积金, gjj]")
            return [], reader.problems
        for item in root.items:
            words = reader.texts(item, "同义词")
            if len(words) < 2:
                reader.warn(item.line, "一组同义词至少要有两个词，例如 - [公积金, 住房公积金]")
            else:
                groups.append(words)
    return groups, reader.problems


def parse_facts(name: str, raw: bytes) -> tuple[dict[str, str], list[Problem]]:
    """Read `facts.yaml`: names and values that answers show as `{facts.名字}`."""
    reader = FieldReader(name)
    root = reader.parse(raw)
    facts: dict[str, str] = {}
    if isinstance(root, Mapping):
        for key, value in reader.pairs(root):
            if isinstance(value, Scalar):
                facts[key.value.strip()] = value.value.strip()
            else:
                reader.error(value.line, f"“{key.value}”应是一个值，例如 {key.value}: 36549")
    elif root is not None:
        reader.error(root.line, "facts.yaml 应是“名字: 值”，每行一个")
    return facts, reader.problems
