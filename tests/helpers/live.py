"""A camera, a tracker and patience for the tests of what is live."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic, sleep

import numpy as np

from tests.helpers.clips import track
from tracker.find.locate import Model
from tracker.result import Result
from tracker.sources.source import CameraError, CameraLimits
from tracker.timings import Timings
from tracker.types import Frame, Image, Kind

# Fast enough for tests, slow enough for a busy machine.
LIMITS = CameraLimits(
    no_frames=0.3, give_up=0.8, open=1.0, frozen=0.3, frozen_reopen=0.5, black=0.3, check=0.02,
    retry=0.02, retry_most=0.1,
)  # fmt: skip


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Until it is true; fails with `what` when that takes too long."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"in vain: {what}"
        sleep(0.005)


def noise(index: int, size_wh: tuple[int, int] = (96, 64)) -> Image:
    """A picture unlike any other."""
    width, height = size_wh
    return np.random.default_rng(index).integers(40, 200, (height, width, 3), np.uint8)


class FakeCamera:
    """A camera whose behaviour a test changes while it runs."""

    name, identity, live, lap = "the fake camera", "fake-0", True, 0

    def __init__(self, fps: float = 60.0) -> None:
        self.fps = fps
        self.plugged = True
        self.picture: Callable[[int], Image] = noise
        self.blocks = False  # read does not return until `release`
        self.open_blocks = False
        self.release = Event()
        self.crash: Exception | None = None  # raised by the next read
        self.opens = self.count = self.closes = 0
        self.knows_presence = True

    def open(self) -> None:
        self.opens += 1
        if self.open_blocks:
            self.release.wait(20)
        if not self.plugged:
            raise CameraError("unplugged", "the fake camera was unplugged; plug it in again")

    def read(self) -> Frame | None:
        if self.blocks:
            self.release.wait(20)
        sleep(1 / self.fps)
        crash, self.crash = self.crash, None
        if crash is not None:
            raise crash
        if not self.plugged:
            return None
        self.count += 1
        return Frame(self.count, monotonic(), self.picture(self.count))

    def close(self) -> None:
        self.closes += 1

    def present(self) -> bool | None:
        return self.plugged if self.knows_presence else None


class FakeLiveTracker:
    """Sees one hand in every frame; a test may make it slow or let it fail."""

    def __init__(self) -> None:
        self.timings = Timings()
        self.models: dict[Kind, Model] = {}
        self.lag_ms = 12.0
        self.delay = 0.0
        self.fail = 0  # frames from now on
        self.tracks = (track("hand"),)
        self.shapes: list[tuple[int, ...]] = []
        self.resets = self.closes = 0

    def process(self, frame_bgr: Image, t: float) -> Result:
        self.shapes.append(frame_bgr.shape)
        if self.fail > 0:
            self.fail -= 1
            raise LookupError("the detector broke")
        with self.timings.stage("network"):
            sleep(self.delay)
        return Result(t, self.tracks)

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closes += 1
