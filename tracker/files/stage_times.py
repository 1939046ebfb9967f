"""Time per stage and frame, and the table of `--stats`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

import numpy as np

ORDER = ("decode", "detect", "crop", "network", "smooth", "draw", "encode", "data")


class StageTimes:
    """Milliseconds per stage, one value a frame; a stage that did not run has 0."""

    def __init__(self) -> None:
        """No frame yet."""
        self._frames: dict[str, list[float]] = {name: [] for name in ORDER}
        self._now = dict.fromkeys(ORDER, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the body as part of `name` in this frame."""
        start = perf_counter()
        yield
        self._now[name] += 1e3 * (perf_counter() - start)

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count times that somebody else took."""
        for name, value in seconds.items():
            self._now[name] += 1e3 * value

    def end_frame(self) -> None:
        """This frame is done."""
        for name, ms in self._now.items():
            self._frames[name].append(ms)
        self._now = dict.fromkeys(ORDER, 0.0)

    def table(self, fps: float) -> str:
        """Mean, p50 and p95 per stage, as text; stages that never ran are left out."""
        lines = [f"{'stage':10} {'mean':>8} {'p50':>8} {'p95':>8}   ms per frame"]
        for name, values in self._frames.items():
            if any(values):
                ms = np.asarray(values)
                p50, p95 = np.percentile(ms, [50, 95])
                lines.append(f"{name:10} {ms.mean():8.2f} {p50:8.2f} {p95:8.2f}")
        every = np.sum([v for v in self._frames.values() if v], axis=0)
        if np.size(every):
            p50, p95 = np.percentile(every, [50, 95])
            lines.append(f"{'sum':10} {np.mean(every):8.2f} {p50:8.2f} {p95:8.2f}")
        lines.append(
            f"overall {fps:.1f} frames per second: decoding, tracking and encoding run side by "
            "side and wait for each other's cores"
        )
        return "\n".join(lines)
