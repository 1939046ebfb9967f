"""Hands that make motions, for tests: minimum-jerk strokes of one bundled open hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tests.helpers.clips import track
from tracker.gestures.own import Hand, Sample
from tracker.gestures.recogniser import library
from tracker.types import Side, Track

Values = NDArray[np.float64]
PALM = 50.0  # pixels of a palm length


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A hand over time."""

    t: Values  # (F,)
    xy: Values  # (F, 21, 2) pixels, as a camera sees them that faces the person

    def tracks(self, side: Side = "right", number: int = 1) -> list[tuple[float, Track]]:
        """As a tracker gives it."""
        found = []
        for t, xy in zip(self.t, self.xy.astype(np.float32), strict=True):
            found.append(
                (float(t), replace(track("hand", side, number), xy=xy, xy_raw=xy, xyz=None))
            )
        return found

    def samples(self) -> tuple[Sample, ...]:
        """As they are kept when it is taught."""
        return tuple(
            Sample(float(t), (Hand("right", xy, None),))
            for t, xy in zip(self.t, self.xy, strict=True)
        )


def open_hand() -> Values:
    """(21, 2) pixels around the palm's middle."""
    known = library()
    which = np.flatnonzero(known.name == known.names.index("open_palm"))[3]
    xy = known.hands.xy[which]
    xy = xy - xy[[0, 5, 9, 13, 17]].mean(0)
    return np.asarray(xy * PALM / np.linalg.norm(xy[9] - xy[0]))


def smooth(share: Values) -> Values:
    """Of a stroke: how much of the way is gone."""
    return np.asarray(share**3 * (10 - 15 * share + 6 * share**2))


def moved(
    parts: Sequence[tuple[float, Callable[[Values], Values]]], fps: float = 30.0, seed: int = 0
) -> Moved:
    """Parts of so many seconds: each gives (n, 2) palm lengths from its start, x to the person's
    own right, for the shares (n,) of its time.
    """
    rng, at, spots, times, t = np.random.default_rng(seed), np.zeros(2), [], [], 0.0
    for seconds, path in parts:
        n = round(seconds * fps)
        spots.append(at + path(np.arange(1, n + 1) / n))
        times.append(t + np.arange(1, n + 1) / fps)
        at, t = spots[-1][-1], float(times[-1][-1])
    middle = np.concatenate(spots) * (-PALM, PALM) + (400, 300)  # their right is the picture's left
    xy = open_hand() + middle[:, None]
    return Moved(np.concatenate(times), xy + rng.normal(0, 0.015 * PALM, xy.shape))


def rest(seconds: float) -> tuple[float, Callable[[Values], Values]]:
    """Stay."""
    return seconds, lambda share: np.zeros((len(share), 2))


def stroke(x: float, y: float, seconds: float) -> tuple[float, Callable[[Values], Values]]:
    """To a place x, y palm lengths away."""
    return seconds, lambda share: smooth(share)[:, None] * (x, y)


def ring(turns: float, radius: float, seconds: float) -> tuple[float, Callable[[Values], Values]]:
    """Round and round."""

    def path(share: Values) -> Values:
        angle = 2 * np.pi * turns * share
        return np.asarray(radius * np.stack([np.cos(angle) - 1, np.sin(angle)], axis=1))

    return seconds, path


def wave(times: float, far: float, seconds: float) -> tuple[float, Callable[[Values], Values]]:
    """To and fro."""
    return seconds, lambda share: np.stack(
        [far * np.sin(2 * np.pi * times * share), np.zeros(len(share))], axis=1
    )
