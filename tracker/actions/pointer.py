"""From the tip of a finger to the pointer: steady when slow, quick when fast. Pure but for memory.

The `area` of the picture is the whole screen. With `accelerate` 1 the pointer is where the finger
points in it; above that it is moved as by a mouse: slow movements by less, fast ones by more, and
the screen's edges bring hand and pointer together again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.follow.smooth import OneEuro, SmoothConfig

# On top of the landmarks' own smoothing; speeds are in picture widths per second.
SMOOTH = SmoothConfig(1.2, 6.0)
USUAL_SPEED = 0.6  # areas per second that are passed on as they are
LEAST, MOST = 0.25, 4.0  # bounds of the acceleration's factor
FREEZE = 0.15  # s after a click begins in which the pointer stays, so that it hits what it aimed at
SCROLL = 20.0  # notches for the height of the area
Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PointerRule:
    """How a finger moves the pointer."""

    area: tuple[float, float, float, float] = (0.3, 0.3, 0.7, 0.7)  # xyxy, shares of the picture
    accelerate: float = 1.0
    still: float = 0.004  # movements below this share of the picture's width move nothing
    mirror: bool = True  # the camera faces the person
    dwell: float = 0.0  # s of rest that click; 0: never
    dwell_within: float = 0.02  # share of the picture's width that counts as rest


class Pointer:
    """Follows one finger."""

    def __init__(self, rule: PointerRule) -> None:
        """The pointer begins in the middle of the screen."""
        self._rule = rule
        self._filter = OneEuro(SMOOTH)
        self._place: Point = np.array([0.5, 0.5])  # of the screen
        self.lose()

    def lose(self) -> None:
        """The finger is gone; where it comes back, it moves the pointer from where that is."""
        self._filter.reset()
        self._anchor: Point | None = None  # of the picture, where the pointer was last moved
        self._t = 0.0
        self._frozen_until = float("-inf")
        self._rest: tuple[Point, float] | None = None  # where and since when it rests
        self._has_dwelt = False
        self._notches = 0.0

    def freeze(self, t: float) -> None:
        """A click begins: stay for a moment."""
        self._frozen_until = t + FREEZE

    def move(self, xy: Point, aspect: float, t: float) -> tuple[float, float] | None:
        """The pointer's new place [0, 1]; None: it stays. `xy` (2,) shares of the picture.

        `aspect` is its width over its height.
        """
        wide = self._steady(xy, aspect, t)
        if wide is None:
            return None
        first, before = self._anchor is None, self._anchor
        dt, self._t = t - self._t, t
        self._anchor = wide
        x0, y0, x1, y1 = self._rule.area
        share = (wide * [1, aspect] - [x0, y0]) / [x1 - x0, y1 - y0]
        if self._rule.mirror:
            share[0] = 1 - share[0]
        if self._rule.accelerate == 1:
            self._place = np.clip(share, 0, 1)
        elif not first and before is not None:
            step = (wide - before) * [1, aspect] / [x1 - x0, y1 - y0]
            step[0] = -step[0] if self._rule.mirror else step[0]
            speed = float(np.hypot(*step)) / max(dt, 1e-3)
            gain = (speed / USUAL_SPEED) ** (self._rule.accelerate - 1)
            self._place = np.clip(self._place + step * min(max(gain, LEAST), MOST), 0, 1)
        return float(self._place[0]), float(self._place[1])

    def scroll(self, xy: Point, aspect: float, t: float) -> int:
        """Notches up for a finger that moves up while it scrolls."""
        wide = self._steady(xy, aspect, t)
        if wide is None:
            return 0
        before, self._anchor, self._t = self._anchor, wide, t
        if before is None:
            return 0
        height = self._rule.area[3] - self._rule.area[1]
        self._notches += float(before[1] - wide[1]) * aspect / height * SCROLL
        whole = int(self._notches)
        self._notches -= whole
        return whole

    def dwelt(self, xy: Point, aspect: float, t: float) -> bool:
        """Has it rested for long enough just now? Once for each rest."""
        if self._rule.dwell <= 0:
            return False
        wide = xy / [1, aspect]
        within = self._rule.dwell_within
        if self._rest is None or float(np.hypot(*(wide - self._rest[0]))) > within:
            self._rest, self._has_dwelt = (wide, t), False
        if self._has_dwelt or t - self._rest[1] < self._rule.dwell:
            return False
        self._has_dwelt = True
        return True

    def _steady(self, xy: Point, aspect: float, t: float) -> Point | None:
        """Smoothed, in picture widths; None: it moved by less than the dead zone."""
        smooth = self._filter.update(np.asarray([xy / [1, aspect]]), t, 1.0)
        wide: Point = smooth[0].astype(np.float64)
        if t < self._frozen_until:
            self._anchor = wide  # what it moved meanwhile is not made up for
            return None
        if self._anchor is not None:
            away = float(np.hypot(*(wide - self._anchor)))
            if away < self._rule.still:
                return None
        return wide
