"""How long the GUI thread was away, measured from inside: for tests and for doubters."""

from __future__ import annotations

import time

MS = 1e3


class TurnWatch:
    """Longest time between two ticks of the window's timer.

    A turn of the event loop that takes long delays the tick after it, whatever it was busy with.
    `cpu_ms` is what this thread computed during the longest turn: when it is much less, the
    thread waited for a processor (or for Python's lock), not for its own work.
    """

    def __init__(self) -> None:
        """Starts with the first tick."""
        self.clear()

    def clear(self) -> None:
        """Forget the past, as after the start, which is no turn like others."""
        self._last: tuple[float, float] | None = None
        self.longest_ms = 0.0
        self.cpu_ms = 0.0
        self.most_cpu_ms = 0.0  # of any turn
        self.turns = 0

    def tick(self) -> None:
        """Call at the start of each tick."""
        now, cpu = time.monotonic(), time.thread_time()
        if self._last is not None:
            took, worked = MS * (now - self._last[0]), MS * (cpu - self._last[1])
            self.turns += 1
            self.most_cpu_ms = max(self.most_cpu_ms, worked)
            if took > self.longest_ms:
                self.longest_ms, self.cpu_ms = took, worked
        self._last = now, cpu
