"""Questions about private matters, made from the private wordings of a knowledge base: as written, misspelt, shortened,
combined and padded."""

from __future__ import annotations

import random

from faqbot.knowledge.snapshot import Snapshot

# Slips that keep the sound: what an input method makes of the same syllables.
_SLIPS = str.maketrans("公假怎报医工请办心赔", "工价咋抱一公情半新培")
_BEFORE = ("请问", "想问下", "急！", "弱弱地问一句，")
_AFTER = ("谢谢", "在线等", "？？", "有人知道吗")


def questions(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Pairs of how it was made and the question."""
    rng = random.Random(7)
    wordings = [w for e in snapshot.entries if e.private for w in e.wordings]
    made: list[tuple[str, str]] = []
    for wording in wordings:
        bare = wording.rstrip("？")
        other = rng.choice(wordings).rstrip("？")
        half = max(4, len(bare) * 2 // 3)
        made += [
            ("plain", wording),
            ("padded", f"{rng.choice(_BEFORE)}{bare}{rng.choice(_AFTER)}"),
            ("misspelt", bare.translate(_SLIPS)),
            ("first part", bare[:half]),
            ("last part", bare[-half:]),
            ("combined", f"{bare}，{other}"),
            ("about somebody", f"我同事{bare}"),
            ("hinted at", f"{bare[1:5]}那件事后来有没有消息"),
        ]
    return list(dict.fromkeys(made))
