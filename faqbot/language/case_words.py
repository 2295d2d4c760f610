"""Words around a case of an answer that a colleague names: 我在北京, 不在上海了, 那要是在杭州呢."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from faqbot.language.data_files import DataNode, read_data
from faqbot.language.vocabulary import any_of

# Stands in the patterns for another case that the same clause names.
OTHER_CASE = "§"


@dataclass(frozen=True, slots=True)
class CaseWords:
    """The patterns that tell in which sense a case is named.

    They are matched against the words before the case, up to it, or behind it. `around` matches what may stand around
    the cases of a text that says nothing else.
    """

    own: re.Pattern[str]
    others: re.Pattern[str]
    ruled_out_before: re.Pattern[str]
    ruled_out_after: re.Pattern[str]
    supposed: re.Pattern[str]
    passing: re.Pattern[str]
    bare_own: re.Pattern[str]
    around: re.Pattern[str]


@cache
def case_words() -> CaseWords:
    node = read_data("case_words.yaml")
    speaker, others = _any(node, "speaker"), _any(node, "others")
    return CaseWords(
        own=re.compile(f"{speaker}{_any(node, 'stating')}*$"),
        others=re.compile(f"(?P<who>{others}){_any(node, 'others_stating')}*$"),
        ruled_out_before=re.compile(f"{_any(node, 'ruling_out_before')}$"),
        ruled_out_after=re.compile(_any(node, "ruling_out_after")),
        supposed=re.compile(f"{_any(node, 'supposing')}[^{OTHER_CASE}]*$"),
        passing=re.compile(_any(node, "passing")),
        bare_own=re.compile(f"{_any(node, 'bare_stating')}$"),
        around=re.compile(f"{OTHER_CASE}|{others}|{_any(node, 'padding')}|{node['padding_characters'].text()}"),
    )


def _any(node: DataNode, key: str) -> str:
    return f"(?:{any_of(node[key].words())})"
