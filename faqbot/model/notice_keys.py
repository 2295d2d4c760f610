"""Keys of notices that several packages build or read; a notice whose key was posted is not sent again."""

from __future__ import annotations

from faqbot.model.notices import Address

ADDRESS_KINDS = ("robot", "group", "person")


def part_key(run: str, part: str, userid: str = "") -> str:
    """Return the key of one of the notices of a run: its part of the run, and the person it is for, if any."""
    return f"{run}:{part}:{userid}" if userid else f"{run}:{part}"


def receiver_key(action: str, to: Address) -> str:
    """Return the key of the notice that an action of a rule sends to one address."""
    return f"{action}/{to.kind}:{to.id}"


def receiver_of(key: str) -> tuple[str, str] | None:
    """Return kind and id of the address in a `receiver_key`; None for any other key."""
    kind, _, address_id = key.rpartition("/")[2].partition(":")
    return (kind, address_id) if kind in ADDRESS_KINDS else None
