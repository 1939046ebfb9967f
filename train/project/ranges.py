"""Labels on stretches of time: pure functions on tuples of ranges.

Within a clip and a kind no two ranges overlap: the newest cuts the older.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from train.project.labels import TIME_DIGITS, Range

SHORTEST = 1e-3  # seconds; what a cut leaves below that is dropped


def painted(ranges: Iterable[Range], new: Range) -> tuple[Range, ...]:
    """`ranges` with `new` over them; neighbours that say the same and touch it become one."""
    if new.end_s - new.start_s < SHORTEST:
        return tuple(ranges)
    kept: list[Range] = []
    for old in ranges:
        if (old.clip, old.kind) != (new.clip, new.kind):
            kept.append(old)
        elif old.label == new.label and _touch(old, new):
            start, end = min(old.start_s, new.start_s), max(old.end_s, new.end_s)
            new = replace(new, start_s=start, end_s=end)
        else:
            kept.append(old)
    rest = [part for old in kept for part in _without(old, new)]
    return tuple(sorted([*rest, new], key=_order))


def erased(
    ranges: Iterable[Range], clip: str, kind: str, start_s: float, end_s: float
) -> tuple[Range, ...]:
    """Nothing is said about this time any more."""
    hole = Range(clip, start_s, end_s, kind, "")
    return tuple(part for old in ranges for part in _without(old, hole))


def changed(ranges: Sequence[Range], old: Range, new: Range | None) -> tuple[Range, ...]:
    """`old` becomes `new`, which cuts what it now covers; None: it is gone."""
    rest = [r for r in ranges if r != old]
    return tuple(rest) if new is None else painted(rest, new)


def range_at(ranges: Iterable[Range], clip: str, kind: str, t: float) -> Range | None:
    """The range that holds time t; its start belongs to it, its end does not."""
    t = round(t, TIME_DIGITS)
    for r in ranges:
        if r.clip == clip and r.kind == kind and r.start_s <= t < r.end_s:
            return r
    return None


def seconds(ranges: Iterable[Range], clip: str, kind: str) -> float:
    """How many seconds of a clip are labelled."""
    return sum(r.end_s - r.start_s for r in ranges if r.clip == clip and r.kind == kind)


def _touch(a: Range, b: Range) -> bool:
    return a.start_s <= b.end_s + SHORTEST and b.start_s <= a.end_s + SHORTEST


def _without(old: Range, hole: Range) -> list[Range]:
    """What is left of a range outside another one."""
    if (old.clip, old.kind) != (hole.clip, hole.kind):
        return [old]
    if old.end_s <= hole.start_s or old.start_s >= hole.end_s:
        return [old]
    left = replace(old, end_s=hole.start_s)
    right = replace(old, start_s=hole.end_s)
    return [part for part in (left, right) if part.end_s - part.start_s >= SHORTEST]


def _order(r: Range) -> tuple[str, str, float]:
    return r.clip, r.kind, r.start_s
