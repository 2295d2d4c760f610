"""How deployed files get into what replicas share: what was left alone follows, what HR changed stays and is told."""

from __future__ import annotations

import pytest

from faqbot.model.shared_text import SharedText, merge_deployed, resolve_conflict

A, B, C = b"a", b"b", b"c"


# What is live, what was deployed before, what is deployed now → what is live then, and what lies aside.
@pytest.mark.parametrize(
    ("live", "before", "now", "then", "aside"),
    [
        (None, None, A, A, ...),  # a new file
        (A, A, A, A, ...),  # nothing happened
        (A, A, B, B, ...),  # changed in the deployment
        (B, A, A, B, ...),  # changed in the console
        (A, A, None, None, ...),  # removed from the deployment
        (None, A, A, None, ...),  # removed in the console
        (B, A, B, B, ...),  # changed alike
        (None, A, None, None, ...),  # removed alike
        (B, A, C, B, C),  # changed differently
        (B, A, None, B, None),  # changed in the console, removed from the deployment
        (None, A, B, None, B),  # removed in the console, changed in the deployment
        (B, None, A, B, A),  # begun under one name in both places
        (B, None, None, B, ...),  # begun in the console
    ],
)
def test_a_deployed_file(live, before, now, then, aside):
    def files(content):
        return {} if content is None else {"faq/x.yaml": content}

    after = merge_deployed(SharedText(3, files(live), files(before)), files(now))
    assert after.texts == files(then)
    assert after.open_conflicts == after.conflicts == ({} if aside is ... else {"faq/x.yaml": aside})
    assert after.base == files(now if aside is ... else before)
    assert merge_deployed(after, files(now)) == after, "once is enough"


def test_an_older_deployment_takes_its_dispute_back():
    shared = merge_deployed(SharedText(1, {"f": B}, {"f": A}), {"f": C})
    assert shared.open_conflicts == {"f": C}
    assert merge_deployed(shared, {"f": A}) == SharedText(1, {"f": B}, {"f": A})


def test_a_dispute_is_over_when_the_console_writes_the_same():
    assert SharedText(1, {"f": C}, {"f": A}, {"f": C}).open_conflicts == {}


@pytest.mark.parametrize("new", [C, None])
@pytest.mark.parametrize("take", [True, False])
def test_a_decision_holds_until_the_next_deployment_that_differs(new, take):
    deployed = {"g": A} | ({} if new is None else {"f": new})
    disputed = merge_deployed(SharedText(1, {"f": B, "g": A}, {"f": A, "g": A}), deployed)
    after = resolve_conflict(disputed, "f", take_deployed=take)
    assert after.conflicts == {} and after.texts.get("f") == (new if take else B)
    assert merge_deployed(after, deployed) == after
    changed = merge_deployed(after, {"f": b"d", "g": A})
    assert (changed.texts.get("f"), changed.open_conflicts) == ((b"d", {}) if take else (B, {"f": b"d"}))
