"""Encodes and decodes dialogue states and question records, for both engines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from faqbot.model.conversation import ConversationState, LastAnswer, LikelyAnswer, Option, OptionList, Slot
from faqbot.model.question_log import QuestionRecord

# One encoder for all: json.dumps would create one for each text.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def pack_context(context: ConversationState) -> str:
    last_answer, likely, earlier = context.last_answer, context.likely_answer, context.earlier_list
    values = {
        "options": _pack_options(context.options),
        "until": context.options_expire_at,
        "asked": context.options_message_id,
        "last": last_answer and [getattr(last_answer, name) for name in LastAnswer.__slots__],
        "misses": context.miss_expiries,
        "facts": [[getattr(slot, name) for name in Slot.__slots__] for slot in context.slots],
        "recent": context.reply_expiries,
        "likely": likely and [likely.message_id, likely.other_ids, likely.expires_at],
        "earlier": earlier and [_pack_options(earlier.options), earlier.expires_at, earlier.message_id],
    }
    return _encode(values)


def unpack_context(text: str | bytes) -> ConversationState | None:
    """Read the text of pack_context; return None if another version wrote it differently, as it expires in minutes."""
    try:
        values = json.loads(text)
        likely, earlier = values.get("likely"), values.get("earlier")
        return ConversationState(
            options=_unpack_options(values["options"]),
            options_expire_at=values["until"],
            # Earlier versions wrote none of these four.
            earlier_list=OptionList(_unpack_options(earlier[0]), *earlier[1:]) if earlier else None,
            options_message_id=values.get("asked", ""),
            reply_expiries=tuple(values.get("recent", ())),
            likely_answer=LikelyAnswer(likely[0], tuple(likely[1]), likely[2]) if likely else None,
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


def pack_record(record: QuestionRecord) -> dict[str, Any]:
    """Return the fields of the record by name, for JSON and for columns."""
    return {name: getattr(record, name) for name in record.__slots__}
