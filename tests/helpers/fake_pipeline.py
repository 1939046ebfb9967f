"""A pipeline for the tests of the window: it does at once, and only, what a test tells it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import numpy as np

from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.live.pipeline import Health, Recording
from tracker.outputs.centring import Centring
from tracker.outputs.overlay import Style
from tracker.result import Result, Shown
from tracker.sources.open import Playing
from tracker.sources.source import CameraState
from tracker.types import Frame, Image


def state(phase: str = "running", reason: str = "") -> CameraState:
    return CameraState(phase, reason, time.monotonic())  # type: ignore[arg-type]


HEALTH = Health(
    camera=state(), capture_fps=29.97, network_ms=4.2, tracker_ms=7.9, dropped=3,
    provider="FakeProvider", threads=2, lag_ms=17.0, recording=None, error=None,
)  # fmt: skip


@dataclass(eq=False)
class FakePipeline:
    """Notes every call. `closing` and `stopping` hold back `close` and `stop_recording`."""

    camera: str = "0"
    loop: bool = False
    config: TrackerConfig = field(default_factory=TrackerConfig)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    shown: Shown | None = None
    now: Health = HEALTH
    refuses: str | None = None  # every write fails with this sentence
    how: Playing = field(default_factory=Playing)

    def __post_init__(self) -> None:
        self.centring = Centring()
        self.closing, self.stopping = Event(), Event()
        self.closing.set()
        self.stopping.set()

    def give(self, bgr: Image, result: Result | None = None, other: Result | None = None) -> None:
        """The newest frame, captured right now."""
        serial = 1 if self.shown is None else self.shown.serial + 1
        t = time.monotonic()
        frame = Frame(serial, float(serial), bgr)
        self.shown = Shown(serial, frame, result or Result(float(serial), ()), other, t, t)

    def start(self) -> None:
        self.calls.append(("start",))

    def close(self, timeout: float = 2.0) -> bool:
        self.closing.wait(10)
        self.calls.append(("close",))
        return True

    def latest(self) -> Shown | None:
        return self.shown

    def health(self) -> Health:
        return self.now

    def pause(self, on: bool) -> None:
        self.calls.append(("pause", on))

    def configure(self, config: TrackerConfig) -> None:
        self.config = config
        self.calls.append(("configure", config))

    def compare(self, config: TrackerConfig | None) -> None:
        self.calls.append(("compare", config))

    def add_output(self, target: str, style: object = None, opened: object = None) -> None:
        self.calls.append(("add_output", target))

    def remove_output(self, target: str) -> None:
        self.calls.append(("remove_output", target))

    def start_recording(self, path: Path, annotated: bool, style: Style | None = None) -> None:
        self._write("start_recording", path, annotated, style)
        self.now = replace(self.now, recording=Recording(path, 65.0, 1900, 0, annotated))

    def stop_recording(self) -> Path | None:
        self.stopping.wait(10)
        self._write("stop_recording")
        before = self.now.recording
        self.now = replace(self.now, recording=None)
        return None if before is None else before.path

    def snapshot(self, folder: Path, style: Style | None = None) -> Path:
        self._write("snapshot", folder, style)
        return folder / "snapshot.png"

    def flag(self, project: Path, shown: Shown | None = None) -> Path:
        self._write("flag", project, shown)
        return project / "flags" / "20260101_120000_000"

    def _write(self, *call: object) -> None:
        if self.refuses is not None:
            raise UserError(self.refuses)
        self.calls.append(call)


def plain(
    colour: tuple[int, int, int] = (40, 90, 200), size_wh: tuple[int, int] = (64, 48)
) -> Image:
    """A picture of one colour (BGR)."""
    return np.full((size_wh[1], size_wh[0], 3), colour, np.uint8)
