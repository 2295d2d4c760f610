"""Converts frozen dataclasses to JSON texts and back; ignores fields that a newer version added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.literals import is_literal

_Record = TypeVar("_Record")
_STORED_AS = "stored_as"

# Errors need not list every wrong field: these texts are written by this program.
_converter = Converter(detailed_validation=False)
# A newer version may have written a word that is not yet among those of a Literal. Reading must not fail for it.
_converter.register_structure_hook_func(is_literal, lambda value, _: value)
# The data of an event is JSON already, possibly deeply nested.
_converter.register_unstructure_hook_func(lambda cls: cls == Mapping[str, Any], lambda value: value)
_converter.register_structure_hook_factory(
    is_dataclass,
    lambda cls: make_dict_structure_fn(cls, _converter, _cattrs_detailed_validation=False, **_overrides(cls)),
)
_converter.register_unstructure_hook_factory(
    is_dataclass, lambda cls: make_dict_unstructure_fn(cls, _converter, **_overrides(cls))
)
# One encoder for all: json.dumps would create one for each text.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def stored_as(name: str) -> Mapping[str, str]:
    """Return the metadata of a dataclass field that is stored under another name than its own."""
    return {_STORED_AS: name}


def to_json(record: Any) -> str:
    """Write a dataclass, with the dataclasses and tuples in it, as a JSON object."""
    return _encode(_converter.unstructure(record))


def from_json(cls: type[_Record], text: str | bytes) -> _Record:
    """Read the text of to_json. A missing field takes its default; raise KeyError if it has none.

    Raise ValueError or TypeError for a value that its field cannot hold.
    """
    return _converter.structure(json.loads(text), cls)


def _overrides(cls: Any) -> dict[str, Any]:
    return {f.name: override(rename=f.metadata[_STORED_AS]) for f in fields(cls) if _STORED_AS in f.metadata}
