"""From landmarks over time to what motions are told from: windows of a hand's path, as numbers.

A path is what remains of each frame: where the palm is, how large, where the fingertips are beside
it, how near thumb and index finger are. A window is its last D seconds, for several D, resampled to
as many points however many frames it has; lengths are palm lengths. So a motion is the same at any
place and size, frame rate, and (within the windows' lengths) speed. x is as the person sees it: see
`path_of`. A left hand does the same motion the same way: its path is not mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tracker.types import Floats

Values = NDArray[np.float64]
LENGTHS = tuple(0.3 * 1.4**k for k in range(7))  # s of windows: 0.3 to 2.26
POINTS, BEFORE = 16, 4  # of a window, and of what was just before it,
LEAD = 0.35  # s at most, and half of the window: a stroke begins from rest, a way back does not
LONGEST_GAP = 0.5  # s between two frames of a window: quick hands are lost for a moment
PALM = (0, 5, 9, 13, 17)
TIPS = (8, 12, 16, 20)
STILL = 0.15  # palm lengths: shapes of smaller paths are not enlarged
X, Y, SIZE, TIP_X, TIP_Y, PINCH, OPEN = range(7)


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A hand over time, F frames. Make it with `path_of`."""

    t: Values  # (F,) seconds, rising
    marks: Values  # (F, 7): palm x, y (pixels), size (pixels); then in palm lengths: the middle of
    # the fingertips from the palm's, x and y; from thumb tip to index tip; tips to wrist on average

    def __len__(self) -> int:
        """F."""
        return len(self.t)

    def between(self, start: float, end: float) -> Self:
        """The part of these times."""
        kept = (self.t >= start) & (self.t <= end)
        return type(self)(self.t[kept], self.marks[kept])


def path_of(t: Values, xy: Values, mirrored: bool = True) -> Path:
    """The path of landmarks (F, 21, 2), pixels, at the times t (F,).

    `mirrored`: the camera faces the person, whose left is at the picture's right: x is turned
    round. Else x is the picture's.
    """
    xy = np.array(xy, np.float64).reshape(-1, 21, 2)
    if mirrored:
        xy[:, :, 0] *= -1
    long = np.linalg.norm(xy[:, 9] - xy[:, 0], axis=1)
    wide = np.linalg.norm(xy[:, 17] - xy[:, 5], axis=1)
    size = np.maximum(np.maximum(long, 1.5 * wide), 1e-3)  # seen along its length it is still wide
    palm, tips = xy[:, PALM].mean(1), xy[:, TIPS]
    marks = [
        palm, size[:, None], (tips.mean(1) - palm) / size[:, None],
        (np.linalg.norm(xy[:, 4] - xy[:, 8], axis=1) / size)[:, None],
        (np.linalg.norm(tips - xy[:, :1], axis=2).mean(1) / size)[:, None],
    ]  # fmt: skip
    return Path(np.asarray(t, np.float64), np.concatenate(marks, axis=1))


def windows(path: Path, ends: Values, lengths: Values) -> Floats:
    """(M, BEFORE + POINTS, 7) marks of the windows that end at `ends` (M,), `lengths` (M,) long, s.

    A window and what is before it must lie within the path, see `is_whole`.
    """
    starts = ends - lengths
    lead = starts[:, None] - _lead(lengths)[:, None] * np.linspace(1, 0, BEFORE, endpoint=False)
    at = np.hstack([lead, ends[:, None] - lengths[:, None] * np.linspace(1, 0, POINTS)])
    right = np.clip(np.searchsorted(path.t, at), 1, len(path) - 1)
    before, after = path.t[right - 1], path.t[right]
    share = np.clip((at - before) / np.maximum(after - before, 1e-9), 0, 1)[:, :, None]
    return np.asarray((1 - share) * path.marks[right - 1] + share * path.marks[right], np.float32)


def is_whole(path: Path, ends: Values, lengths: Values) -> NDArray[np.bool_]:
    """(M,) does the path have all of these windows, without a gap?"""
    if len(path) < 3:
        return np.zeros(len(ends), bool)
    gaps = np.flatnonzero(np.diff(path.t) > LONGEST_GAP)
    starts = ends - lengths - _lead(lengths)
    found = (starts >= path.t[0] - 1e-6) & (ends <= path.t[-1] + 1e-6)
    for k in gaps:
        found &= (ends <= path.t[k] + 1e-6) | (starts >= path.t[k + 1] - 1e-6)
    return np.asarray(found)


def _lead(lengths: Values) -> Values:
    """(M,) s before windows that are looked at, too."""
    return np.minimum(lengths / 2, LEAD)


def features(marks: Floats, lengths: Values) -> Floats:
    """(M, F) numbers of the order of 1 about windows as of `windows`, `lengths` (M,) s long.

    The palm's path in palm lengths and in its own size, the fingertips' beside it, pinch, spread
    and size over time, the speed along the way; net way, length, turning and reversals; and what
    was before.
    """
    size = np.median(marks[:, BEFORE:, SIZE], axis=1)
    middle = marks[:, BEFORE:, :2].mean(1, keepdims=True)
    whole = (marks[:, :, :2] - middle) / size[:, None, None]
    way = whole[:, BEFORE:]
    extent = np.sqrt((way**2).sum(2).mean(1))
    tips = marks[:, BEFORE:, TIP_X : TIP_Y + 1]
    steps = np.diff(way, axis=1)
    speed = np.linalg.norm(steps, axis=2)
    length, few = speed.sum(1), slice(BEFORE, None, 2)
    led = whole[:, :BEFORE] - way[:, :1]
    parts: Sequence[NDArray[np.floating]] = [
        _flat(way), _flat(way / np.maximum(extent, STILL)[:, None, None]),
        _flat((tips - tips.mean(1, keepdims=True))[:, ::2]),
        marks[:, few, PINCH], marks[:, few, OPEN],
        np.log(marks[:, few, SIZE] / size[:, None]),
        speed / np.maximum(length, STILL)[:, None] * (POINTS - 1),
        way[:, -1] - way[:, 0], _flat(led), marks[:, :BEFORE, PINCH],
        np.column_stack([
            np.log(lengths), np.log(np.maximum(extent, 0.02)), np.log(length + 0.05),
            np.linalg.norm(way[:, -1] - way[:, 0], axis=1) / np.maximum(length, STILL),
            np.linalg.norm(np.diff(led, axis=1), axis=2).sum(1),
            *_turning(steps), *_reversals(way + tips), *_reversals(way),
        ]),
    ]  # fmt: skip
    return np.concatenate(parts, axis=1).astype(np.float32)


def _flat(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values.reshape(len(values), -1)


def _turning(steps: Floats) -> tuple[Floats, Floats]:
    """By how much the path turns altogether, and without regard to the side; turns of 1."""
    a, b = steps[:, :-1], steps[:, 1:]
    cross = a[:, :, 0] * b[:, :, 1] - a[:, :, 1] * b[:, :, 0]
    angle = np.arctan2(cross, (a * b).sum(2)) / (2 * np.pi)
    # Where it stands still, noise turns any way.
    fast = np.minimum(np.linalg.norm(a, axis=2), np.linalg.norm(b, axis=2))
    weight = np.clip(fast / np.maximum(fast.mean(1, keepdims=True), 0.02), 0, 1)
    return (angle * weight).sum(1), (np.abs(angle) * weight).sum(1)


def _reversals(way: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """How far it went to and fro, along x and y: of each way (both in all less what is left)."""
    found = []
    for axis in (0, 1):
        steps = np.diff(way[:, :, axis], axis=1)
        there = np.abs(steps).sum(1)
        found += [there, np.abs(steps.sum(1)) / np.maximum(there, STILL)]
    return tuple(found)
