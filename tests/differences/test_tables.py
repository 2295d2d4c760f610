"""The tables of pairs and the second small knowledge base: well formed, large enough and free of problems."""

from __future__ import annotations

import pytest

from faqbot.language.normalize import normalise
from tests.differences.pairs import Table, snapshot, tables

GROUPS = 16
TO_REFUSE, TO_ACCEPT = 15, 10


def test_there_is_a_table_for_each_group_of_differences() -> None:
    assert len(tables()) == GROUPS


def test_the_second_knowledge_base_is_terse_and_has_no_problem() -> None:
    factory = snapshot("factory")
    assert factory.problems == ()
    assert len(factory.entries) >= 45 and all(len(e.also) <= 3 for e in factory.entries)


@pytest.mark.parametrize("table", tables(), ids=lambda t: t.group)
def test_a_table_is_large_and_spread_over_both_knowledge_bases(table: Table) -> None:
    refuse, accept = table.refuse + table.open_refuse, table.accept + table.open_accept
    assert len(refuse) >= TO_REFUSE and len(accept) >= TO_ACCEPT
    assert {p.base for p in refuse} == {p.base for p in accept} == {"sample", "factory"}
    asked = [(p.question, p.entry_id) for p in refuse + accept]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("table", tables(), ids=lambda t: t.group)
def test_a_question_to_refuse_is_no_wording_of_the_entry_and_names_what_differs(table: Table) -> None:
    for pair in table.refuse + table.open_refuse:
        assert normalise(pair.question) not in {normalise(w) for w in pair.entry.wordings}
        assert pair.kinds
        assert pair.right is None or pair.snapshot.entry(pair.right) not in (None, pair.entry)
