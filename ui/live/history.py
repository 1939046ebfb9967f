"""A bounded memory of head pose and gestures, for the scrolling plots."""

from __future__ import annotations

from collections import deque
from statistics import quantiles

import numpy as np
from numpy.typing import NDArray

from tracker.result import Result

Series = NDArray[np.float64]
POSE = ("yaw", "pitch", "roll")
MOST_GESTURES = 64


class History:
    """The last `capacity` moments: a time, a head pose, and each gesture's probability."""

    def __init__(self, capacity: int = 1200) -> None:
        """Everything is allocated here, once."""
        self._capacity = capacity
        self._t = np.full(capacity, np.nan)
        self._pose = np.full((capacity, 3), np.nan)
        self._gestures: dict[str, Series] = {}
        self._next = 0

    def add(self, t: float, result: Result) -> None:
        """Note a moment. A missing face or hand leaves a gap (NaN)."""
        i = self._next % self._capacity
        self._next += 1
        self._t[i] = t
        self._pose[i] = np.nan
        for values in self._gestures.values():
            values[i] = np.nan
        for track in result.tracks:
            if track.pose is not None and np.isnan(self._pose[i, 0]):
                self._pose[i] = track.pose.yaw, track.pose.pitch, track.pose.roll
            shown = () if track.gesture is None else ((track.gesture, track.gesture_p),)
            for gesture, p in track.gestures or shown:
                self._note(gesture, i, p)

    def clear(self) -> None:
        """Forget everything."""
        self._next = 0
        self._gestures = {}

    def times(self) -> Series:
        """(N,) rising, oldest first."""
        return self._ordered(self._t)

    def pose(self) -> Series:
        """(N, 3) yaw, pitch, roll in degrees; NaN without a face."""
        return self._ordered(self._pose)

    def gestures(self) -> dict[str, Series]:
        """(N,) per gesture known so far: its probability, NaN without a hand."""
        return {name: self._ordered(values) for name, values in self._gestures.items()}

    def _note(self, gesture: str, i: int, p: float) -> None:
        if gesture not in self._gestures:
            if len(self._gestures) >= MOST_GESTURES:
                return
            self._gestures[gesture] = np.full(self._capacity, np.nan)
        self._gestures[gesture][i] = np.fmax(self._gestures[gesture][i], p)

    def _ordered(self, ring: Series) -> Series:
        if self._next <= self._capacity:
            return ring[: self._next]
        return np.roll(ring, -(self._next % self._capacity), axis=0)


class Latency:
    """From capture to painted: the last few seconds, in ms."""

    def __init__(self, most: int = 300) -> None:
        """Remembers the last `most` frames."""
        self._ms: deque[float] = deque(maxlen=most)
        self._painted_at: deque[float] = deque(maxlen=60)
        self.count = 0  # since the start

    def add(self, t_capture: float, t_painted: float) -> None:
        """Note a frame; both are times of the same monotonic clock."""
        self._ms.append(1e3 * (t_painted - t_capture))
        self._painted_at.append(t_painted)
        self.count += 1

    def clear(self) -> None:
        """Forget everything, as when the source changes."""
        self._ms.clear()
        self._painted_at.clear()

    def percentiles(self) -> tuple[float, float] | None:
        """p50 and p95 in ms; None before two frames were painted."""
        if len(self._ms) < 2:
            return None
        cuts = quantiles(self._ms, n=20, method="inclusive")
        return cuts[9], cuts[18]

    def fps(self, now: float) -> float:
        """Frames painted per second of late; 0 when none was for two seconds."""
        at = self._painted_at
        if len(at) < 2 or now - at[-1] > 2:
            return 0.0
        return (len(at) - 1) / max(at[-1] - at[0], 1e-9)
