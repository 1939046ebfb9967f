"""From landmarks over time to what motions are told from: windows of a hand's path, as numbers.

A path is what remains of each frame: where the palm is, how large, where the fingertips are beside
it, how near thumb and index finger are. A window is its last D seconds, for several D, resampled to
as many points however many frames it has; lengths are palm lengths. So a motion is the same at any
place and size, frame rate, and (within the windows' lengths) speed. x is as the person sees it: see
`path_of`. A left hand does the same motion the same way: its path is not mirrored.
"""

from __future__ import annotations

import math
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
# The landmarks that marks are made of: wrist, thumb tip, knuckles (with the wrist the palm), tips.
MARKED = np.array([0, 4, 5, 9, 13, 17, 8, 12, 16, 20])
BEFORE_AT, POINTS_AT = np.linspace(1, 0, BEFORE, endpoint=False), np.linspace(1, 0, POINTS)
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
    marks = [marks_of(hand, mirrored) for hand in np.asarray(xy).reshape(-1, 21, 2)]
    return Path(np.asarray(t, np.float64), np.array(marks).reshape(-1, 7))


def marks_of(xy: NDArray[np.floating], mirrored: bool = True) -> Values:
    """(7,) marks of one hand (21, 2), see `Path`; by hand, since numpy is slow with few numbers."""
    wrist, thumb, index, middle, ring, little, *tips = xy[MARKED].astype(np.float64).tolist()
    # seen along its length it is still wide
    size = max(_apart(middle, wrist), 1.5 * _apart(little, index), 1e-3)
    (a, b, c, d), turn = tips, -1.0 if mirrored else 1.0
    x, y = ((wrist[k] + index[k] + middle[k] + ring[k] + little[k]) / 5 for k in (0, 1))
    tip_x, tip_y = ((a[k] + b[k] + c[k] + d[k]) / 4 for k in (0, 1))
    far = (_apart(a, wrist) + _apart(b, wrist) + _apart(c, wrist) + _apart(d, wrist)) / 4
    beside, pinch = turn * (tip_x - x) / size, _apart(thumb, a) / size
    return np.array([turn * x, y, size, beside, (tip_y - y) / size, pinch, far / size])


def _apart(a: Sequence[float], b: Sequence[float]) -> float:
    x, y = a[0] - b[0], a[1] - b[1]
    return math.sqrt(x * x + y * y)


def windows(path: Path, ends: Values, lengths: Values) -> Floats:
    """(M, BEFORE + POINTS, 7) marks of the windows that end at `ends` (M,), `lengths` (M,) long, s.

    A window and what is before it must lie within the path, see `is_whole`.
    """
    at = np.empty((len(ends), BEFORE + POINTS))
    at[:, :BEFORE] = (ends - lengths)[:, None] - _lead(lengths)[:, None] * BEFORE_AT
    at[:, BEFORE:] = ends[:, None] - lengths[:, None] * POINTS_AT
    right = np.minimum(np.maximum(path.t.searchsorted(at), 1), len(path) - 1)
    left = right - 1
    before = path.t[left]
    share = (at - before) / np.maximum(path.t[right] - before, 1e-9)
    share = np.minimum(np.maximum(share, 0), 1)[:, :, None]
    return np.asarray((1 - share) * path.marks[left] + share * path.marks[right], np.float32)


def is_whole(path: Path, ends: Values, lengths: Values) -> NDArray[np.bool_]:
    """(M,) does the path have all of these windows, without a gap?"""
    if len(path) < 3:
        return np.zeros(len(ends), bool)
    starts = ends - lengths - _lead(lengths)
    found = (starts >= path.t[0] - 1e-6) & (ends <= path.t[-1] + 1e-6)
    is_gap = path.t[1:] - path.t[:-1] > LONGEST_GAP
    for k in np.flatnonzero(is_gap) if is_gap.any() else ():
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
    total = np.add.reduce
    size = medians(marks[:, BEFORE:, SIZE])
    middle = total(marks[:, BEFORE:, :2], 1, keepdims=True) / POINTS
    whole: Floats = np.divide(marks[:, :, :2] - middle, size[:, None, None])
    way, tips = whole[:, BEFORE:], marks[:, BEFORE:, TIP_X : TIP_Y + 1]
    extent = np.sqrt(total(total(way * way, 2), 1) / POINTS)
    steps, few = way[:, 1:] - way[:, :-1], slice(BEFORE, None, 2)
    speed = _lengths(steps)
    length = total(speed, 1)
    at_least = np.maximum(length, STILL)
    led, net = whole[:, :BEFORE] - way[:, :1], way[:, -1] - way[:, 0]
    parts = (
        _flat(way), _flat(way / np.maximum(extent, STILL)[:, None, None]),
        _flat((tips - total(tips, 1, keepdims=True) / POINTS)[:, ::2]),
        marks[:, few, PINCH], marks[:, few, OPEN],
        np.log(marks[:, few, SIZE] / size[:, None]),
        speed / at_least[:, None] * (POINTS - 1),
        net, _flat(led), marks[:, :BEFORE, PINCH],
        np.log(lengths)[:, None], np.log(np.maximum(extent, 0.02))[:, None],
        np.log(length + 0.05)[:, None], (_lengths(net) / at_least)[:, None],
        total(_lengths(led[:, 1:] - led[:, :-1]), 1)[:, None],
        _turning(steps, speed), _reversals(way + tips, way),
    )  # fmt: skip
    return np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")


def _flat(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return values.reshape(len(values), -1)


def _lengths(vectors: Floats) -> Floats:
    """Along the last axis."""
    return np.asarray(np.sqrt(np.add.reduce(vectors * vectors, -1)))


def medians(rows: NDArray[np.floating]) -> Floats:
    """(M,) of rows (M, N). np.median takes five times as long, of so few numbers."""
    low, high = (rows.shape[1] - 1) // 2, rows.shape[1] // 2
    parted = np.partition(rows, (low, high), axis=1)
    return np.asarray((parted[:, low] + parted[:, high]) / 2)


def _turning(steps: Floats, speed: Floats) -> Floats:
    """(M, 2) by how much the path turns altogether, and without regard to the side; turns of 1."""
    a, b = steps[:, :-1], steps[:, 1:]
    cross = a[:, :, 0] * b[:, :, 1] - a[:, :, 1] * b[:, :, 0]
    angle = np.arctan2(cross, np.add.reduce(a * b, 2)) / (2 * np.pi)
    # Where it stands still, noise turns any way.
    fast = np.minimum(speed[:, :-1], speed[:, 1:])
    usual = np.add.reduce(fast, 1, keepdims=True) / fast.shape[1]
    weight = np.minimum(fast / np.maximum(usual, 0.02), 1)
    turned = np.stack([angle * weight, np.abs(angle) * weight], axis=1)
    return np.asarray(np.add.reduce(turned, 2))


def _reversals(*ways: Floats) -> Floats:
    """(M, 4 * ways) how far each went to and fro, along x and along y: of each way (both in all
    less what is left).
    """
    along = np.concatenate(ways, axis=2).transpose(0, 2, 1).copy()  # (M, 2 * ways, POINTS)
    steps = along[:, :, 1:] - along[:, :, :-1]
    there = np.add.reduce(np.abs(steps), 2)
    left = np.abs(np.add.reduce(steps, 2)) / np.maximum(there, STILL)
    return np.stack([there, left], axis=2).reshape(len(there), -1)
