"""Imports point down only: the pure core knows nothing of the world, and only one file knows the SDK."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "faqbot"

# A name stands for the module and everything below it; the longest name that fits counts.
LAYERS = {
    0: """
        automation
        decisions
        dingtalk
        errors
        faqbot
        findings
        knowledge
        model
    """,
    1: """
        ageing
        alike
        answers
        attendance
        attendance_sheets
        attendance_words
        automation.conditions
        automation.deeds
        automation.overview
        automation.plans
        automation.reading
        automation.rules
        automation.schedule
        automation.starts
        automation.templates
        automation.trace
        automation.values
        automation.words
        calibration
        certainty
        charts
        company
        corrections
        courtesy
        dialogue
        digest
        dingtalk.codes
        dingtalk.newcomer
        dingtalk.payloads
        features
        feedback
        fitted
        impact
        knowledge.assemble
        knowledge.beside
        knowledge.doubles
        knowledge.draft
        knowledge.edit
        knowledge.encoding
        knowledge.exchange
        knowledge.exchange_annotated
        knowledge.exchange_apply
        knowledge.exchange_cells
        knowledge.exchange_report
        knowledge.exchange_sheets
        knowledge.exchange_text
        knowledge.explain
        knowledge.facts
        knowledge.fix
        knowledge.groups
        knowledge.keys
        knowledge.links
        knowledge.mend
        knowledge.outline
        knowledge.page
        knowledge.parse
        knowledge.pasted
        knowledge.pasted_chat
        knowledge.pasted_prose
        knowledge.pasted_table
        knowledge.picture_names
        knowledge.proposed
        knowledge.quoting
        knowledge.reader
        knowledge.schema
        knowledge.saved_questions
        knowledge.settling
        knowledge.slips
        knowledge.splice
        knowledge.stated
        knowledge.strays
        knowledge.tree
        knowledge.unshown
        knowledge.whereabouts
        lexicon
        markdown
        matching
        meaning
        memory
        menus
        office_hours
        orders
        parcels
        permitted
        places
        picks
        asking_back
        records
        judging
        readings
        followups
        splitting
        polarity
        privacy
        render
        shared_text
        shortlist
        sound
        spelling
        stats
        suggestions
        text
        weekly_digest
    """,
    2: """
        automation.events
        dingtalk.attendance
        dingtalk.contacts
        dingtalk.directory
        dingtalk.frames
        dingtalk.gateway
        dingtalk.groups
        dingtalk.http
        dingtalk.onboarding
        dingtalk.openapi
        dingtalk.robot
        dingtalk.tokens
        dingtalk.webhook
        edits
        embeddings
        evaluation
        first_steps
        knowledge.disk
        knowledge.exchange_files
        knowledge.library
        knowledge.pictures
        knowledge.shelf
        knowledge.store_shelf
        leases
        metrics
        pacing
        quota
        report
        settings
        store
        telemetry
    """,
    3: """
        ageing_notices
        approval
        attendance_collecting
        attendance_report
        automation.actions
        automation.arrivals
        automation.dry_run
        automation.joining
        automation.reporting
        automation.runner
        audience
        bot
        changes
        correction_notices
        deeds
        delivery
        desk
        discretion
        quiet
        welcome
        draft_notices
        forgetting
        inbox
        outbox
        pictures
        ticket_news
        tickets
        shelves
        ways
    """,
    4: """
        console
        dingtalk.stream
        sandbox
    """,
    5: """
        __main__
        app
        cli
        doctor
        doctor_permissions
        rehearsal
        rehearsal_time
        routine
        run_now
    """,
}
LAYER = {
    name if name == "faqbot" else f"faqbot.{name}": layer for layer, names in LAYERS.items() for name in names.split()
}
# Packages that hold modules of several layers: only their own, empty `__init__` has the layer of the name.
MIXED = {"faqbot", "faqbot.knowledge", "faqbot.dingtalk", "faqbot.automation"}
# Three ways into the world that do not know each other; a shelf is handed the store.
SEPARATE = ("faqbot.store", "faqbot.knowledge", "faqbot.dingtalk")
WORLD = {"asyncio", "time", "os", "pathlib"}
# pypinyin takes its switches from the environment at the moment it is imported.
EXCUSED = {"faqbot.sound": {"os"}}


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def layer_of(name):
    """The number of the layer; -1 for a module that was given none."""
    while name not in LAYER:
        name = name.rpartition(".")[0]
        if not name or name in MIXED:
            return -1
    return LAYER[name]


def imports(name):
    """The absolute names of all modules that a module imports, wherever in the file it does so."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno} imports relatively"
            # `from faqbot.knowledge import keys` imports a module, `from faqbot.text import normalise` a name.
            found |= {full if (full := f"{node.module}.{a.name}") in MODULES else node.module for a in node.names}
    return found


def ours(name):
    return {found for found in imports(name) if found.split(".")[0] == "faqbot"}


def inside(name, package):
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_layer(name):
    assert layer_of(name) >= 0


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_to_the_same_or_a_lower_layer(name):
    assert {found for found in ours(name) if layer_of(found) > layer_of(name)} == set()


@pytest.mark.parametrize("name", [n for n in MODULES if layer_of(n) in (0, 1)])
def test_the_core_is_pure(name):
    assert {found.split(".")[0] for found in imports(name)} & WORLD == EXCUSED.get(name, set())


@pytest.mark.parametrize("name", [n for n in MODULES if inside(n, "faqbot.sandbox")])
def test_the_sandbox_knows_nothing_of_the_bot(name):
    assert {found for found in ours(name) if not inside(found, "faqbot.sandbox")} == set()


def test_only_the_stream_knows_the_sdk():
    users = {name for name in MODULES if "dingtalk_stream" in {found.split(".")[0] for found in imports(name)}}
    assert users == {"faqbot.dingtalk.stream"}


@pytest.mark.parametrize("name", [n for n in MODULES if layer_of(n) == 2])
def test_the_ways_into_the_world_do_not_know_each_other(name):
    others = [package for package in SEPARATE if not inside(name, package)]
    if len(others) < len(SEPARATE):
        assert {found for found in ours(name) if any(inside(found, package) for package in others)} == set()
