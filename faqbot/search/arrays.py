"""Numeric arrays of the search: their types, and operations on ragged arrays in flat form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def flatten(lists: Sequence[Sequence[int]]) -> tuple[Positions, Positions, Positions]:
    """Lay the lists end to end: all numbers, for each number the index of its list, and the start of each list."""
    if len(lists) == 1:
        flat = np.array(lists[0], dtype=np.int64)
        return flat, np.zeros(len(flat), dtype=np.int64), np.zeros(1, dtype=np.int64)
    sizes = np.array([len(numbers) for numbers in lists], dtype=np.int64)
    flat = np.array([number for numbers in lists for number in numbers], dtype=np.int64)
    return flat, np.arange(len(lists)).repeat(sizes), sizes.cumsum() - sizes


def gather_spans(
    offsets: Positions, span_ids: Positions, *flats: npt.NDArray[Any]
) -> tuple[Positions, list[npt.NDArray[Any]]]:
    """Copy the spans `span_ids` of each of `flats` end to end; return the size of each span and the copies.

    Span n of a flat array goes from `offsets[n]` up to, not including, `offsets[n + 1]`.
    """
    starts, ends = offsets[span_ids], offsets[span_ids + 1]
    slices = list(map(slice, starts.tolist(), ends.tolist()))
    return ends - starts, [np.concatenate([flat[s] for s in slices]) for flat in flats]
