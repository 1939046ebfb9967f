"""How long each stage takes: added up for a tracker, frame by frame for a job on a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import numpy as np

STAGES = ("detect", "crop", "network", "smooth")  # of a tracker,
JOB_STAGES = ("decode", *STAGES, "draw", "encode", "data")  # and of a job with one


class Timings:
    """Seconds spent and calls made per stage since the start (or since `clear`)."""

    def __init__(self, stages: Sequence[str] = STAGES) -> None:
        """Nothing counted yet."""
        self._stages = tuple(stages)
        self.clear()

    def stage(self, name: str) -> Stage:
        """Add the time of the body to stage `name`, also when it raises."""
        return Stage(self, name)

    def add(self, name: str, seconds: float, calls: int = 1) -> None:
        """Count for stage `name` what ran elsewhere: beside the frames, on another thread."""
        self.seconds[name] += seconds
        self.calls[name] += calls

    def ms_per_frame(self) -> dict[str, float]:
        """Mean milliseconds of each stage over all frames."""
        return {s: 1e3 * t / max(self.frames, 1) for s, t in self.seconds.items()}

    def clear(self) -> None:
        """Start counting from nothing."""
        self.seconds = dict.fromkeys(self._stages, 0.0)
        self.calls = dict.fromkeys(self._stages, 0)
        self.frames = 0


class Stage:
    """The body of one stage. Written out, since a generator's takes four times as long."""

    __slots__ = ("_name", "_start", "_timings")

    def __init__(self, timings: Timings, name: str) -> None:
        """Nothing runs yet."""
        self._timings, self._name, self._start = timings, name, 0.0

    def __enter__(self) -> None:
        """It begins."""
        self._start = perf_counter()

    def __exit__(self, *_: object) -> None:
        """It ends; what it raised goes on."""
        self._timings.add(self._name, perf_counter() - self._start)


class FrameTimes:
    """Milliseconds per stage, one value a frame (0 where a stage did not run), and `--stats`."""

    def __init__(self) -> None:
        """No frame yet."""
        self._frames: dict[str, list[float]] = {name: [] for name in JOB_STAGES}
        self._now = Timings(JOB_STAGES)
        self.stage = self._now.stage

    def add(self, seconds: Mapping[str, float]) -> None:
        """Count in this frame times that somebody else took."""
        for name, value in seconds.items():
            self._now.add(name, value)

    def end_frame(self) -> None:
        """This frame is done."""
        for name, seconds in self._now.seconds.items():
            self._frames[name].append(1e3 * seconds)
        self._now.clear()

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
