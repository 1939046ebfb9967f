"""Where an object was in the last moments, and where that leads.

When two faces cross, the crop of the hidden one shows the other, and its landmarks slide over. What
they do last is then not the object's own motion; what they did a moment before is.
"""

from __future__ import annotations

from collections import deque
from statistics import median

import numpy as np
from numpy.typing import NDArray

from tracker.follow.associate import object_size
from tracker.types import Floats

SPAN = 0.6  # s of the past that are kept
SLIDE = 0.2  # s: what an object did last, which may have been another's
STEADY = 0.1  # s of the past at least from which a velocity is told
HOLD = 0.5  # s: time constant with which the velocity of what is not seen dies out


class Course:
    """Middle and size of one object over the last SPAN seconds."""

    def __init__(self) -> None:
        """Empty: `add` before anything is asked."""
        self._seen: deque[tuple[float, float, float, float]] = deque()  # t, x, y, size

    def add(self, t: float, xy: Floats) -> None:
        """Landmarks (K, 2), frame pixels, at time t."""
        x, y = (np.add.reduce(xy) / len(xy)).tolist()
        self._seen.append((t, x, y, object_size(xy)))
        while self._seen[0][0] < t - SPAN:
            self._seen.popleft()

    def clear(self) -> None:
        """Forget the past."""
        self._seen.clear()

    def at(self, t: float) -> tuple[NDArray[np.float64], float]:
        """Middle (2,) and size at time t, frame pixels, foretold from SLIDE before the end."""
        seen = np.array(self._seen)
        before = seen[seen[:, 0] <= seen[-1, 0] - SLIDE]
        before = before if len(before) else seen[:1]
        # Of a dozen numbers: np.median takes ten times as long.
        last, size = before[-1, 0], median(before[:, 3].tolist())
        if last - before[0, 0] < STEADY:
            return before[-1, 1:3], size
        mean = before.mean(0)
        past = before[:, 0] - mean[0]
        slope = past @ before[:, 1:3] / (past @ past)  # least squares
        middle = mean[1:3] + slope * (last - mean[0])
        unseen = HOLD * (1 - np.exp(-max(t - seen[-1, 0], 0.0) / HOLD))
        return middle + slope * (seen[-1, 0] - last + unseen), size

    def surprise(self, t: float, xy: Floats) -> float:
        """How far, in object sizes, landmarks (K, 2) at time t are from where the past leads."""
        (middle, expected), size = self.at(t), object_size(xy)
        apart = float(np.linalg.norm(middle - xy.mean(0))) / max(size, expected)
        return apart + abs(float(np.log(size / expected)))
