"""Frozen dataclasses as JSON: what another version wrote is read, and what is written stays readable."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import pytest

from faqbot.store.json_records import from_json, stored_as, to_json


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Part:
    kind: Literal["a", "b"]
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Whole:
    name: str = field(metadata=stored_as("title"))
    parts: tuple[Part, ...] = ()
    colour: Colour = Colour.RED
    data: Mapping[str, Any] = field(default_factory=dict)


WHOLE = Whole("名字", (Part("a"), Part("b", 2.5)), data={"n": [1, None, {"x": "字"}]})


def test_what_is_written_is_read_back() -> None:
    assert from_json(Whole, to_json(WHOLE)) == WHOLE


def test_the_text_has_stored_names_and_plain_chinese_in_the_order_of_the_fields() -> None:
    parts = '[{"kind": "a", "size": 1.0}, {"kind": "b", "size": 2.5}]'
    data = '{"n": [1, null, {"x": "字"}]}'
    assert to_json(WHOLE) == f'{{"title": "名字", "parts": {parts}, "colour": "red", "data": {data}}}'


def test_fields_of_a_newer_version_are_ignored_and_missing_ones_take_their_defaults() -> None:
    text = '{"title": "x", "parts": [{"kind": "a", "weight": 3}], "shape": "round"}'
    assert from_json(Whole, text) == Whole("x", (Part("a"),))


def test_a_kind_that_only_a_newer_version_knows_is_read() -> None:
    assert from_json(Part, '{"kind": "c"}').kind == "c"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("text", ['{"parts": []}', '{"title": "x", "colour": "blue"}', "[]", "{"])
def test_what_cannot_be_read_raises(text: str) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        from_json(Whole, text)


def test_data_may_be_nested_deeply() -> None:
    nested: dict[str, Any] = {}
    for _ in range(400):
        nested = {"a": nested}
    assert from_json(Whole, to_json(Whole("x", data=nested))).data == nested
    assert json.loads(to_json(Whole("x", data=nested)))["data"] == nested
