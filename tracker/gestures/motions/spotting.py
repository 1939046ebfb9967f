"""Motions as they happen: an event in the frame in which a motion is seen to have ended.

At every frame the windows that end with it are judged, the short and the long ones, and a motion is
as likely as in the window where it is likeliest. It has happened where that reaches its threshold,
and it does not happen again before it was unlikely for a moment. Nothing happens within `AGAIN` of
another motion, nor, within `BACK` of a stroke, the stroke the other way: that is the way back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tracker.gestures.motions.windows import (
    LENGTHS,
    SIZE,
    TIP_X,
    TIP_Y,
    Path,
    Values,
    features,
    is_whole,
    medians,
    windows,
)
from tracker.gestures.network import Network
from tracker.types import Floats, Side

AGAIN, BACK = 0.6, 1.2  # s
FACED = {"swipe_left": "swipe_right", "swipe_right": "swipe_left"}  # by a camera that faces one
OPPOSITE: Mapping[str, str] = {
    "swipe_left": "swipe_right", "swipe_right": "swipe_left",
    "swipe_up": "swipe_down", "swipe_down": "swipe_up",
}  # fmt: skip
OVER = 0.3  # of a threshold: below, a motion is over,
OVER_FOR = 0.15  # for so long, s
EVERY_LENGTH = np.array(LENGTHS)
MOVED = 0.25  # palm lengths: where neither palm nor fingertips moved so far nothing is judged


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """The windows that end at M times, of each of `LENGTHS`. Make it with `ended`."""

    whole: NDArray[np.bool_]  # (M, LENGTHS) does the path have it?
    features: Floats  # (of these, F)


def ended(path: Path, ends: Sequence[float] | Floats) -> Ended:
    """What all spotters judge: the windows that end at these times."""
    times = np.asarray(ends, np.float64).repeat(len(LENGTHS))
    lengths = EVERY_LENGTH[None].repeat(len(ends), 0).ravel()
    whole = is_whole(path, times, lengths)
    rows = np.zeros((0, 0), np.float32)
    if len(ends) and whole.all():
        rows = features(windows(path, times, lengths), lengths)
    elif whole.any():
        rows = features(windows(path, times[whole], lengths[whole]), lengths[whole])
    return Ended(whole.reshape(-1, len(LENGTHS)), rows)


@dataclass(frozen=True, slots=True, eq=False)
class Spotter:
    """What tells motions: class 0 of the network is anything else."""

    names: tuple[str, ...]
    network: Network
    thresholds: Mapping[str, float]
    sides: Mapping[str, Side] = field(default_factory=dict)  # of motions of one of both hands

    def without(self, names: Sequence[str]) -> Spotter:
        """The same, and these motions never happen."""
        return replace(
            self, thresholds={n: v for n, v in self.thresholds.items() if n not in names}
        )

    def likely(self, path: Path, ends: Sequence[float] | Floats) -> Floats:
        """(M, names) how likely each motion ends at these times, in the likeliest window."""
        return self.judged(ended(path, ends))

    def judged(self, seen: Ended) -> Floats:
        """`likely` of windows that are made."""
        if len(seen.whole) and seen.whole.all():
            p = self.network(seen.features)[:, 1:]
            return np.asarray(np.maximum.reduce(p.reshape(*seen.whole.shape, -1), 1))
        p = np.zeros((*seen.whole.shape, len(self.names)), np.float32)
        if seen.whole.any():
            p[seen.whole] = self.network(seen.features)[:, 1:]
        return np.asarray(p.max(1))


def peaks(likely: Floats, t: Values, least: float) -> list[float]:
    """The highest of likelihoods (M,) at times t (M,) that are above `least`, AGAIN s apart."""
    found: list[float] = []
    while len(likely) and likely.max() > least:
        best = int(np.argmax(likely))
        found.append(float(likely[best]))
        far = np.abs(t - t[best]) >= AGAIN
        likely, t = likely[far], t[far]
    return found


class Happenings:
    """What happens with one hand: from likelihoods, frame by frame, to motions that have ended."""

    def __init__(self, names: Sequence[str], thresholds: Mapping[str, float]) -> None:
        """Nothing was seen yet. A motion without a threshold never happens."""
        self._names = tuple(names)
        self._least = np.array([thresholds.get(name, np.inf) for name in names])
        self._little = OVER * self._least
        self._likely_at = np.full(len(self._names), -np.inf)  # when each was last likely at all
        self._last: tuple[str, float] | None = None

    def take(self, likely: Floats, t: float) -> tuple[str, float] | None:
        """What has happened in the frame of time t, with its probability."""
        if not (likely >= self._little).any():
            return None
        armed = t - self._likely_at > OVER_FOR
        reached = (likely >= self._least) & armed
        is_free = self._last is None or t - self._last[1] >= AGAIN
        found: tuple[str, float] | None = None
        if reached.any() and is_free:
            best = int(np.argmax(np.where(reached, likely / self._least, 0)))
            name = self._names[best]
            if not self._is_way_back(name, t):
                found = name, float(likely[best])
                self._last = name, t
        # What was likely and has happened, or was refused, must be over first.
        started = reached if found is not None or not is_free else np.zeros_like(reached)
        still = (likely >= self._little) & ~armed
        self._likely_at[started | still] = t
        return found

    def _is_way_back(self, name: str, t: float) -> bool:
        last = self._last
        return last is not None and OPPOSITE.get(name) == last[0] and t - last[1] < BACK


def is_resting(path: Path) -> bool:
    """Has neither the palm nor the fingertips moved by `MOVED` in the time that windows look at?"""
    palm = path.marks[:, :2] / medians(path.marks[None, :, SIZE])
    return _extent(palm) < MOVED and _extent(palm + path.marks[:, TIP_X : TIP_Y + 1]) < MOVED


def _extent(points: Values) -> float:
    """The diagonal of the box around points (F, 2)."""
    wide, high = np.maximum.reduce(points) - np.minimum.reduce(points)
    return math.sqrt(wide * wide + high * high)
