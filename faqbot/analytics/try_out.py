"""Explains in Chinese how the bot would reply to a sentence: winning entry, reasons, messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from faqbot.analytics.evaluation import decision_name
from faqbot.dialogue.answer_policy import explain, judge_by_words_first
from faqbot.knowledge.snapshot import Snapshot
from faqbot.language.normalize import normalise
from faqbot.model.decisions import Answered, Decision, Likely, Offered
from faqbot.model.entries import Candidate, Entry
from faqbot.model.plain_replies import Introduction, Menu, SmallTalk, TopicList
from faqbot.replies.differences import difference_text
from faqbot.replies.render import plain_body
from faqbot.search.arrays import Floats
from faqbot.search.index import Explanation
from faqbot.search.thresholds import Thresholds

MAX_CHARACTERS = 200
# Feature values from which texts are called the same, nearly the same, somewhat alike: chosen by looking at pairs that
# people call alike.
_SAME, _NEARLY, _SOMEWHAT = 0.995, 0.8, 0.5
# The sound counts as the reason where it is this much more similar than the characters.
_SOUND_MARGIN = 0.15


@dataclass(frozen=True, slots=True)
class WeighedEntry:
    """A candidate as a person reads it: its probability in percent and in words, and the reasons as sentences.

    differs: what the question says otherwise than the entry, as sentences; such an entry is never answered with.
    """

    entry: Entry
    percent: int
    likely: str
    matched: str
    reasons: tuple[str, ...]
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The trial of a sentence: `outcome` for machines, `verdict` for people, and the markdown that would be sent.

    bar, likely_bar: the probability in percent from which the bot answers outright, or shows the likely answer.
    saved: the sentence is already a saved question with this answer.
    """

    text: str
    outcome: str
    verdict: str
    reply: str
    candidates: tuple[WeighedEntry, ...]
    bar: int
    likely_bar: int
    saved: bool = False

    def place_of(self, entry_id: str) -> int:
        """Return the rank of an entry, counted from 1; 0 if it is not among the candidates."""
        return next((n for n, r in enumerate(self.candidates, 1) if r.entry.id == entry_id), 0)

    def as_json(self) -> dict[str, Any]:
        return {
            "q": self.text,
            "decision": self.outcome,
            "verdict": self.verdict,
            "reply": self.reply,
            "saved": self.saved,
            "candidates": [
                {
                    "id": r.entry.id,
                    "question": r.entry.question,
                    "percent": r.percent,
                    "likely": r.likely,
                    "matched": r.matched,
                    "reasons": list(r.reasons),
                    "differs": list(r.differs),
                }
                for r in self.candidates
            ],
        }


def try_out(
    text: str,
    snapshot: Snapshot,
    limits: Thresholds,
    day: date,
    meaning: Floats | None = None,
    limits_by_meaning: Thresholds | None = None,
) -> TrialResult:
    """Judge `text` as the bot would in a single chat; `meaning` is its embedding, `limits_by_meaning` hold for that."""
    text = " ".join(text.split())[:MAX_CHARACTERS]
    judged = judge_by_words_first(
        text, snapshot.index, limits=limits, limits_by_meaning=limits_by_meaning, today=day, embedding=meaning
    )
    decision, ranking = judged.decision, judged.ranking
    if judged.embedding is not None and limits_by_meaning is not None:
        limits = limits_by_meaning
    explained = explain(text, ranking, snapshot.index, today=day, embedding=judged.embedding)
    candidates = tuple(_weigh(c, why, limits, text) for c, why in zip(ranking, explained, strict=False))
    return TrialResult(
        text,
        decision_name(decision),
        _verdict(decision),
        plain_body(decision, text),
        candidates,
        _percent(limits.answer_at),
        _percent(limits.likely_at),
        isinstance(decision, Answered) and snapshot.is_saved(text, decision.entry.id),
    )


def _verdict(decision: Decision) -> str:
    match decision:
        case Answered(entry):
            return f"会直接回答「{entry.question}」。"
        case Likely(entry):
            return f"不太有把握，会问对方是不是想问「{entry.question}」，下面给出这一条的答案。"
        case Offered(candidates) if candidates[0].differs:
            return f"有关键的地方不一样，不直接回答，会列出来让对方选，第一条是「{candidates[0].entry.question}」。"
        case Offered(candidates) if len(candidates) == 1:
            return f"把握不够，会先问对方是不是想问「{candidates[0].entry.question}」。"
        case Offered(candidates):
            return f"把握不够，会列出 {len(candidates)} 条让对方选，第一条是「{candidates[0].entry.question}」。"
        case Menu(unspecific=True):
            return "没有说是哪方面的，会列出所有主题请对方选；不记到「未答」里。"
        case Introduction():
            return "会介绍自己，给出几个真实的例子。"
        case Menu():
            return "会当作求助，列出所有主题。"
        case TopicList(topic):
            return f"这是主题「{topic}」的名字，会列出这个主题的问题。"
        case SmallTalk():
            return "会当作打招呼、道谢、道别或闲聊来回应。"
        case _:
            return "不会回答：说没有找到，并记到「未答」里。"


def _weigh(candidate: Candidate, why: Explanation, limits: Thresholds, question: str) -> WeighedEntry:
    score = candidate.score
    if candidate.differs:
        likely = "不一样"
    elif score >= limits.answer_at:
        likely = "有把握"
    elif score >= limits.offer_at:
        likely = "有可能"
    else:
        likely = "可能性小"
    return WeighedEntry(
        candidate.entry,
        _percent(score),
        likely,
        candidate.question,
        tuple(_reasons(candidate, why, question)),
        tuple(map(difference_text, candidate.differs)),
    )


def _percent(share: float) -> int:
    """Return the share in percent, never rounded up to 100."""
    return 100 if share >= 1 else min(99, round(share * 100))


def _reasons(candidate: Candidate, why: Explanation, question: str) -> list[str]:
    views, quoted = why.features, f"「{candidate.question}」"
    alike = views["edit"]
    if alike >= _SAME:
        reasons = [f"和问法{quoted}说的一样"]
    elif alike >= _NEARLY:
        reasons = [f"和问法{quoted}只差一两个字"]
    elif alike >= _SOMEWHAT or views["best"] >= _SOMEWHAT:
        reasons = [f"和问法{quoted}有些像"]
    else:
        reasons = [f"最接近的问法是{quoted}，但不太像"]
    if why.rewrites:
        reasons.append("把" + "、".join(f"「{old}」当作「{new}」" for old, new in why.rewrites))
    elif views["sound"] >= _NEARLY and views["sound"] - views["raw_edit"] >= _SOUND_MARGIN:
        reasons.append("读音很接近，可能是打错了字")
    if views.get("meaning", 0.0) >= _NEARLY and alike < _NEARLY:
        reasons.append("字不同，意思相近")
    missing = stretches_in(unmatched(why.folded, why.uncovered), question)
    if missing:
        reasons.append(f"这一条的问法里没有{'、'.join(f'「{part}」' for part in missing)}")
    elif views["covered"] >= _NEARLY and alike < _SAME:
        reasons.append("问题里的字词它都写到了")
    return reasons


def stretches_in(parts: Iterable[str], question: str) -> list[str]:
    """Return the stretches of `parts` that occur in the question as it was typed.

    `parts` come from the form that is compared, in which 几 has become 多少.
    """
    normalised = normalise(question)
    stretches: list[str] = []
    for part in parts:
        at = 0
        while at < len(part):
            end = next((end for end in range(len(part), at, -1) if part[at:end] in normalised), at)
            stretches += [part[at:end]] if end > at else []
            at = max(end, at + 1)
    return list(dict.fromkeys(stretches))


def unmatched(compared: str, uncovered: Sequence[str]) -> list[str]:
    """Return the stretches of the question that no pair of characters in the wordings covers."""
    lacks: set[int] = set()
    holds: set[int] = set()
    for at in range(len(compared) - 1):
        pair = compared[at : at + 2]
        (lacks if pair in uncovered else holds).update((at, at + 1))
    for word in uncovered:
        if len(word) != 2 and (at := compared.find(word)) >= 0:
            lacks.update(range(at, at + len(word)))
            holds.difference_update(range(at, at + len(word)))
    alone = sorted(lacks - holds)
    parts: list[str] = []
    for n, at in enumerate(alone):
        if n and at == alone[n - 1] + 1:
            parts[-1] += compared[at]
        else:
            parts.append(compared[at])
    return [part for part in map(str.strip, parts) if part]
