"""Encodes and decodes dialogue states and question records, for both engines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from faqbot.model.conversation import (
    CaseAnswer,
    ConversationState,
    LastAnswer,
    LikelyAnswer,
    NamedCase,
    Option,
    OptionList,
    Slot,
)
from faqbot.model.question_log import QuestionRecord

# One encoder for all: json.dumps would create one for each text.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def pack_context(context: ConversationState) -> str:
    last_answer, likely, earlier = context.last_answer, context.likely_answer, context.earlier_list
    case_answer = context.case_answer
    values = {
        "options": _pack_options(context.options),
        "until": context.options_expire_at,
        "asked": context.options_message_id,
        "last": last_answer and [getattr(last_answer, name) for name in LastAnswer.__slots__],
        "misses": context.miss_expiries,
        "facts": [[getattr(slot, name) for name in Slot.__slots__] for slot in context.slots],
        "recent": context.reply_expiries,
        "likely": likely and [likely.message_id, likely.other_ids, likely.expires_at, _cases(likely.named_cases)],
        "earlier": earlier
        and [_pack_options(earlier.options), earlier.expires_at, earlier.message_id, _cases(earlier.named_cases)],
        "cases": _cases(context.options_cases),
        "case_answer": case_answer and [getattr(case_answer, name) for name in CaseAnswer.__slots__],
        "handoff": context.handoff_expires_at,
    }
    return _encode(values)


def unpack_context(text: str | bytes) -> ConversationState | None:
    """Read the text of pack_context; return None if another version wrote it differently, as it expires in minutes."""
    try:
        values = json.loads(text)
        likely, earlier, case_answer = values.get("likely"), values.get("earlier"), values.get("case_answer")
        return ConversationState(
            options=_unpack_options(values["options"]),
            options_expire_at=values["until"],
            # Earlier versions wrote none of these seven.
            earlier_list=_earlier(*earlier) if earlier else None,
            options_message_id=values.get("asked", ""),
            reply_expiries=tuple(values.get("recent", ())),
            likely_answer=_likely(*likely) if likely else None,
            options_cases=_named_cases(values.get("cases", ())),
            case_answer=CaseAnswer(*case_answer) if case_answer else None,
            handoff_expires_at=values.get("handoff", 0.0),
            last_answer=LastAnswer(*values["last"]) if values["last"] else None,
            miss_expiries=tuple(values["misses"]),
            slots=tuple(Slot(*slot) for slot in values["facts"]),
        )
    except (TypeError, ValueError, LookupError):
        return None


def _pack_options(options: Sequence[Option]) -> list[list[str]]:
    return [[option.kind, option.key] for option in options]


def _unpack_options(pairs: Sequence[Sequence[Any]]) -> tuple[Option, ...]:
    return tuple(Option(kind, key) for kind, key in pairs)


def _likely(message_id: str, other_ids: list[str], expires_at: float, cases: list[Any] | None = None) -> LikelyAnswer:
    return LikelyAnswer(message_id, tuple(other_ids), expires_at, _named_cases(cases or ()))


def _earlier(
    options: list[list[str]], expires_at: float, message_id: str, cases: list[Any] | None = None
) -> OptionList:
    return OptionList(_unpack_options(options), expires_at, message_id, _named_cases(cases or ()))


def _cases(named: Iterable[NamedCase]) -> list[list[Any]]:
    return [[case.word, case.is_usable] for case in named]


def _named_cases(values: Iterable[Sequence[Any]]) -> tuple[NamedCase, ...]:
    return tuple(NamedCase(*value) for value in values)


def pack_record(record: QuestionRecord) -> dict[str, Any]:
    """Return the fields of the record by name, for JSON and for columns."""
    return {name: getattr(record, name) for name in record.__slots__}
