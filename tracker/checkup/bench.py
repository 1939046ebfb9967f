"""What `tracker bench` measures: the same frames through our tracker and through a peer.

The clip is decoded to memory first. Both then take the frames in alternation, a block of frames
each, in one process, so that both meet the same machine in the same state; the order within a pair
of blocks changes every time. The first frames are a warm-up and not counted.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tracker.checkup.peers import Peer
from tracker.errors import UserError
from tracker.files.video_job import FrameTracker
from tracker.progress import Report, silent
from tracker.sources.video_file import VideoReader
from tracker.types import Frame, Image, Kind

SCHEMA_VERSION = 1
FRAMES, WARM_UP, BLOCK = 150, 10, 15
MEMORY = 1 << 30  # bytes of decoded frames at most
BUSY = 0.5  # load per core, before the run, from which times are not to be trusted


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Decoded frames."""

    path: Path
    frames: Sequence[Frame]  # warm-up first; no `bgr` is None
    size_wh: tuple[int, int]
    note: str  # how many frames of the clip these are, and why


class Ours:
    """Our tracker in the shape of a peer."""

    name = "landmark-tracker"

    def __init__(self, tracker: FrameTracker, kinds: Sequence[Kind], settings: str) -> None:
        """The tracker must have seen nothing yet, and look for these kinds."""
        self.settings = settings
        self._tracker, self._kinds = tracker, kinds

    def prepare(self, frame_bgr: Image) -> object:
        """It takes the frame as it is."""
        return frame_bgr

    def process(self, prepared: object, t: float) -> Mapping[Kind, int]:
        """Hands and faces seen."""
        seen: dict[Kind, int] = dict.fromkeys(self._kinds, 0)
        for track in self._tracker.process(cast(Image, prepared), t).tracks:
            seen[track.kind] += 1
        return seen

    def close(self) -> None:
        """Nothing to give back."""


@dataclass(slots=True, eq=False)
class Runs:
    """What one side did, frame by frame."""

    name: str
    settings: str
    ms: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    with_kind: dict[Kind, int] = field(default_factory=dict)  # frames in which it saw one or more


def read_clip(path: Path, most: int, warm_up: int = WARM_UP, memory: int = MEMORY) -> Clip:
    """The first `warm_up + most` frames that can be decoded, and no more than `memory` bytes.

    UserError when it holds no video, or too few frames to count any.
    """
    reader = VideoReader(path)
    frames: list[Frame] = []
    note = "the whole clip"
    try:
        for frame in reader.frames():
            if frame.bgr is None:
                continue
            if len(frames) == warm_up + most:
                note = f"the clip's first frames; --frames {most}"
                break
            if frame.bgr.nbytes * (len(frames) + 1) > memory:
                note = f"the clip's first frames; more than {memory >> 20} MiB are not kept"
                break
            frames.append(frame)
    finally:
        reader.close()
    if len(frames) <= warm_up:
        raise UserError(
            f"{path} gives {len(frames)} frames, and the first {warm_up} are a warm-up; "
            "take a longer clip"
        )
    return Clip(path, frames, reader.facts.size_wh, note)


def compare(
    sides: Sequence[Peer],
    frames: Sequence[Frame],
    warm_up: int = WARM_UP,
    block: int = BLOCK,
    clocks: tuple[Callable[[], float], Callable[[], float]] = (perf_counter, process_time),
    report: Report = silent,
) -> list[Runs]:
    """Every frame through every side, in alternating blocks. `clocks`: wall and CPU seconds;
    `report`: blocks that are done, and of how many.
    """
    runs = [Runs(side.name, side.settings) for side in sides]
    pairs = list(zip(sides, runs, strict=True))
    for side in sides:
        for frame in frames[:warm_up]:
            side.process(side.prepare(image_of(frame)), frame.t)
    parts = list(blocks(frames[warm_up:], block))
    for number, part in enumerate(parts):
        for side, run in pairs if number % 2 == 0 else reversed(pairs):
            _run_block(side, run, part, clocks)
        report(number + 1, len(parts))
    return runs


def _run_block(
    side: Peer,
    run: Runs,
    part: Sequence[Frame],
    clocks: tuple[Callable[[], float], Callable[[], float]],
) -> None:
    wall, cpu = clocks
    for frame, prepared in [(f, side.prepare(image_of(f))) for f in part]:
        began, cpu_began = wall(), cpu()
        seen = side.process(prepared, frame.t)
        cpu_ended, ended = cpu(), wall()
        run.ms.append(1e3 * (ended - began))
        run.cpu_s.append(cpu_ended - cpu_began)
        for kind, count in seen.items():
            run.with_kind[kind] = run.with_kind.get(kind, 0) + (count > 0)


def blocks(frames: Sequence[Frame], size: int) -> Iterator[Sequence[Frame]]:
    """Consecutive parts of `size` frames; the last may be shorter."""
    for start in range(0, len(frames), size):
        yield frames[start : start + size]


def image_of(frame: Frame) -> Image:
    """The picture of a frame that has one."""
    assert frame.bgr is not None, f"frame {frame.index} was not decoded"
    return frame.bgr


def spread(values: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Minimum, median, mean, 95th percentile and maximum."""
    array = np.asarray(values, float)
    names = ("min", "median", "mean", "p95", "max")
    p50, p95 = np.percentile(array, [50, 95])
    numbers = (array.min(), p50, array.mean(), p95, array.max())
    return {name: float(number) for name, number in zip(names, numbers, strict=True)}


def side_facts(run: Runs) -> dict[str, object]:
    """One side in plain numbers."""
    return {
        "name": run.name,
        "settings": run.settings,
        "ms_per_frame": spread(run.ms),
        "cpu_s_per_frame": spread(run.cpu_s),
        "frames_with": dict(run.with_kind),
    }


def report(
    clip: Clip, runs: Sequence[Runs], memory: Mapping[str, float | None], **facts: object
) -> dict[str, object]:
    """The outcome for machines. Ratios are ours / peer, frame by frame: below 1 we are faster."""
    ours, peers = runs[0], runs[1:]
    return {
        "schema_version": SCHEMA_VERSION,
        "clip": {
            "file": clip.path.name,
            "size_wh": list(clip.size_wh),
            "frames": len(ours.ms),
            "warm_up": len(clip.frames) - len(ours.ms),
            "note": clip.note,
        },
        "sides": [side_facts(run) for run in runs],
        "ratio_ours_to_peer": {
            run.name: spread(np.asarray(ours.ms) / np.asarray(run.ms)) for run in peers
        },
        "peak_memory_mb": dict(memory),
        **facts,
    }


def hardware() -> dict[str, object]:
    """Where this ran."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "load_before": load,
    }


def cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name, as far as the system tells."""
    try:
        text = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def peak_memory_mb() -> float | None:
    """The most memory this process has held so far, MB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def busy_warning(facts: Mapping[str, object]) -> str | None:
    """One sentence where other programs kept the machine busy when this began."""
    load, cores = facts["load_before"], facts["cores"]
    if not isinstance(load, float) or not isinstance(cores, int) or load < BUSY * cores:
        return None
    return (
        f"the machine was busy before this began (load {load:.1f} on {cores} cores): trust the "
        "ratios more than the times, or end other programs and run this again"
    )
