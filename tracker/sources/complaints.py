"""What FFmpeg complains of while it reads a file, and the holes that this leaves in its times."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av


class Complaints:
    """Notices that FFmpeg said that something is wrong.

    It counts for the whole process: where two files are read at once, one may be blamed for the
    other. So it marks frames, and never decides which frames there are.
    """

    def __init__(self) -> None:
        """Have errors counted; nothing is printed."""
        if av.logging.get_level() is None:
            av.logging.set_level(av.logging.PANIC)
        self.heard = False  # of what was done inside the last `listen`

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Inside, something is read or decoded."""
        before = av.logging.get_last_error()[0]
        self.heard = False
        try:
            yield
        finally:
            self.heard = av.logging.get_last_error()[0] > before


class Holes:
    """Tells from rising times how many frames of an even stream are missing between two of them."""

    KNOWN, LEAST = 50, 5  # steps that are remembered, and that make a rhythm
    EVEN, SHARE = 0.2, 0.9  # steps within 20 % of the usual one are even; so many have to be

    def __init__(self) -> None:
        """No time yet."""
        self._last: Fraction | None = None
        self._steps: deque[float] = deque(maxlen=self.KNOWN)

    def before(self, t: Fraction) -> int:
        """Frames missing between the time before and this one; 0 where the stream is uneven."""
        last, self._last = self._last, t
        if last is None:
            return 0
        step = float(t - last)
        usual = statistics.median(self._steps) if self._steps else step
        even = sum(abs(s - usual) <= self.EVEN * usual for s in self._steps)
        has_rhythm = len(self._steps) >= self.LEAST and even >= self.SHARE * len(self._steps)
        missing = round(step / usual) - 1
        if has_rhythm and missing > 0:
            return missing
        self._steps.append(step)
        return 0
