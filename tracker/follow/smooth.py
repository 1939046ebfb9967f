"""One Euro filter (Casiez, Roussel and Vogel, 2012) for landmarks, with real time stamps.

A first-order low-pass whose cutoff rises with speed: still points are held firmly, fast ones
follow closely. Speed is measured in object sizes per second, so a preset behaves alike for a hand
near the camera and one far away, and as the length of a point's velocity, so it does not depend on
how the picture is turned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.types import Floats

Preset = Literal["off", "light", "strong"]


@dataclass(frozen=True, slots=True)
class SmoothConfig:
    """cutoff = min_cutoff + beta * speed. Hz; sizes per second; the speed's own cutoff in Hz.

    The others are `LandmarkFilter`'s: the cutoff of what is still, Hz, and how far that may be off
    before it counts as moving, in object sizes: the whole, a part of it, and lids and lips.
    """

    min_cutoff: float
    beta: float
    speed_cutoff: float = 1.0
    still_cutoff: float = 0.9
    whole: float = 0.014
    part: float = 0.014
    quick: float = 0.0045


# Chosen by `tracker bench --smoothing`: see docs/performance.md. As One Euro filters (points in
# space, the pointer) 'light' trails what moves at one size per second by 17 ms, 'strong' by 45 ms.
PRESETS: Mapping[Preset, SmoothConfig | None] = {
    "off": None,
    "light": SmoothConfig(2.0, 8.0),
    "strong": SmoothConfig(0.7, 3.0, 1.0, 0.6, 0.018, 0.020, 0.005),
}


def alpha(cutoff: ArrayLike, dt: float) -> NDArray[np.float64]:
    """Weight of the newest value in a first-order low-pass: dt / (dt + 1 / (2 pi cutoff))."""
    tau = 1 / (2 * np.pi * np.asarray(cutoff, np.float64))
    weight: NDArray[np.float64] = dt / (dt + tau)
    return weight


class OneEuro:
    """Smooths the K points of one object. `lag_ms` tells what that costs.

    On a point that moves steadily the filter trails by exactly 1 / (2 pi cutoff) seconds.
    """

    def __init__(self, config: SmoothConfig | None) -> None:
        """`config` None passes everything through."""
        self._config = config
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._t: float | None = None
        self._raw: NDArray[np.float64] | None = None
        self._smooth: NDArray[np.float64] | None = None
        self._velocity: NDArray[np.float64] | None = None
        self._cutoff: NDArray[np.float64] | None = None  # (K, 1) Hz, at the last update

    @property
    def lag_ms(self) -> float:
        """By how much it trails, the median over the points, at the last update."""
        return 0.0 if self._cutoff is None else float(np.median(1e3 / (2 * np.pi * self._cutoff)))

    def update(self, values: ArrayLike, t: float, size: float) -> Floats:
        """Smoothed copy of values (K, D) at time t; `size` is the object's, in the same unit.

        A time that does not advance (a repeated time stamp) returns the last answer again.
        """
        new = np.asarray(values, np.float64)
        if self._config is None:
            return new.astype(np.float32)
        if self._t is None or self._raw is None or self._smooth is None or self._velocity is None:
            self._t, self._raw, self._smooth = t, new, new
            self._velocity = np.zeros_like(new)
            return new.astype(np.float32)
        dt = t - self._t
        if dt <= 0:
            return self._smooth.astype(np.float32)
        velocity = (new - self._raw) / (dt * max(size, 1e-6))
        weight = float(alpha(self._config.speed_cutoff, dt))
        self._velocity = self._velocity + weight * (velocity - self._velocity)
        speed = np.sqrt(np.add.reduce(self._velocity * self._velocity, 1, keepdims=True))
        cutoff = self._config.min_cutoff + self._config.beta * speed
        self._smooth = self._smooth + alpha(cutoff, dt) * (new - self._smooth)
        self._t, self._raw, self._cutoff = t, new, cutoff
        return self._smooth.astype(np.float32)
