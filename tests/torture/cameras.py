"""Cameras that fail in every way: the picture comes back when the camera does, times rise."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from tests.helpers.live import LIMITS, FakeCamera, FakeLiveTracker, noise
from tests.torture.rows import Row, dice
from tracker.config import TrackerConfig
from tracker.live.pipeline import Pipeline
from tracker.sources.source import CameraError

PATIENCE = 10.0  # seconds until the picture must be back


def unplug(camera: FakeCamera) -> None:
    """Pulled out."""
    camera.plugged = False


def hang(camera: FakeCamera) -> None:
    """`read` does not come back."""
    camera.blocks = True


def hang_open(camera: FakeCamera) -> None:
    """Pulled out, and then `open` does not come back."""
    camera.plugged, camera.open_blocks = False, True


def failing(error: Exception) -> Callable[[FakeCamera], None]:
    """`read` raises."""

    def fault(camera: FakeCamera) -> None:
        camera.crash = error

    return fault


def freeze(camera: FakeCamera) -> None:
    """The same picture again and again."""
    camera.picture = lambda i: noise(0)


def black(camera: FakeCamera) -> None:
    """Nothing but black."""
    camera.picture = lambda i: np.zeros((64, 96, 3), np.uint8)


def resize(camera: FakeCamera) -> None:
    """Another size, as drivers choose after a sleep."""
    camera.picture = lambda i: noise(i, (48, 32) if i % 40 < 20 else (96, 64))


FAULTS: dict[str, Callable[[FakeCamera], None]] = {
    "unplugged": unplug, "hangs": hang, "hangs on opening": hang_open, "freezes": freeze,
    "black": black, "changes size": resize,
    "is busy": failing(CameraError("busy", "the camera is busy; close other programs")),
}  # fmt: skip


def cameras(count: int, folder: Path) -> Row:
    """Faults after each other, drawn at random."""
    row, random = Row("cameras that fail", f"the picture is back within {PATIENCE:g} s"), dice(8)
    for number in range(count):
        name = random.choice(sorted(FAULTS))
        camera, tracker = FakeCamera(fps=100), FakeLiveTracker()
        with closing(Pipeline(camera, TrackerConfig(), make(tracker), limits=LIMITS)) as live:
            live.start()
            row.tried += 1
            if not flows(live):
                row.wrong.append(f"{number}: no picture at first")
                continue
            FAULTS[name](camera)
            time.sleep(random.uniform(0.05, 1.0))
            camera.plugged, camera.blocks, camera.open_blocks = True, False, False
            camera.picture = noise
            camera.release.set()
            begun = time.monotonic()
            if not flows(live):
                row.wrong.append(f"{number}, {name}: {live.health().camera}")
            row.worst("seconds until it was back", round(time.monotonic() - begun, 2))
    return row


def make(tracker: FakeLiveTracker) -> Callable[[TrackerConfig], FakeLiveTracker]:
    """Always this one."""
    return lambda config: tracker


def flows(live: Pipeline) -> bool:
    """Whether ten new pictures come, whose times rise."""
    times = list[float]()
    end = time.monotonic() + PATIENCE
    while len(times) < 10 and time.monotonic() < end:
        shown = live.latest()
        if shown is not None and (not times or shown.t_capture > times[-1]):
            times.append(shown.t_capture)
        time.sleep(0.005)
    return len(times) == 10
