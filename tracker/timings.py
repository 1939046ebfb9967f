"""How long each stage of the data path takes: added up here, printed by whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

STAGES = ("detect", "crop", "network", "smooth")


@dataclass(slots=True, eq=False)
class Timings:
    """Seconds spent and calls made per stage since the start (or since `clear`)."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    calls: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    frames: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the body to stage `name`, also when it raises."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - start
            self.calls[name] += 1

    def add(self, name: str, seconds: float, calls: int) -> None:
        """Count for stage `name` what ran beside the frames, on another thread."""
        self.seconds[name] += seconds
        self.calls[name] += calls

    def ms_per_frame(self) -> dict[str, float]:
        """Mean milliseconds of each stage over all frames."""
        return {s: 1e3 * t / max(self.frames, 1) for s, t in self.seconds.items()}

    def clear(self) -> None:
        """Start counting from nothing."""
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.calls = dict.fromkeys(STAGES, 0)
        self.frames = 0
