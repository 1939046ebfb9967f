"""The pipeline behind the window, and the work that may wait: no window needed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from threading import Event, get_ident

import pytest

from tests.helpers.fake_pipeline import HEALTH, FakePipeline
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.sources.open import Playing
from ui.kit.jobs import Jobs
from ui.live.choices import is_device
from ui.live.session import Order, Session

MAIN = TrackerConfig()
OTHER = TrackerConfig(hand_model="b.onnx")


class Bench:
    """A session and everything that it made."""

    def __init__(self) -> None:
        self.made: list[FakePipeline] = []
        self.refuses: str | None = None
        self.jobs = Jobs()
        self.session = Session(self.jobs, self.make)  # type: ignore[arg-type]

    def make(self, camera: str, how: Playing, config: TrackerConfig) -> FakePipeline:
        if self.refuses is not None:
            raise UserError(self.refuses)
        self.made.append(FakePipeline(camera, how.loop, config))
        return self.made[-1]

    def settle(self) -> None:
        end = time.monotonic() + 5
        while not self.jobs.is_idle:
            assert time.monotonic() < end
            self.jobs.poll()
            time.sleep(0.001)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_open(bench: Bench) -> None:
    bench.session.open(Order("0", Playing(True), MAIN, OTHER))
    (pipeline,) = bench.made
    assert (pipeline.camera, pipeline.loop, pipeline.config) == ("0", True, MAIN)
    assert pipeline.calls == [("start",), ("compare", OTHER)]


def test_the_old_pipeline_ends_before_the_new_one_begins(bench: Bench) -> None:
    bench.session.open(Order("0", Playing(False), MAIN))
    bench.made[0].closing.clear()
    bench.session.open(Order("1", Playing(False), MAIN))
    bench.session.open(Order("2", Playing(False), MAIN))  # changed once more meanwhile
    assert len(bench.made) == 1 and bench.session.latest() is None
    assert bench.session.health().camera.phase == "opening"
    bench.made[0].closing.set()
    bench.settle()
    assert [p.camera for p in bench.made] == ["0", "2"]
    assert bench.made[0].calls[-1] == ("close",)


def test_a_source_that_cannot_be_is_told_and_replaced(bench: Bench) -> None:
    bench.refuses = "xyz:// could not be opened: use an rtsp:// or http:// address"
    bench.session.open(Order("xyz://", Playing(False), MAIN))
    health = bench.session.health()
    assert health.camera.phase == "failed" and health.camera.reason == bench.refuses
    bench.refuses = None
    bench.session.open(Order("0", Playing(False), MAIN))
    assert bench.session.pipeline is bench.made[0]


def test_configure_tells_only_what_changed(bench: Bench) -> None:
    bench.session.open(Order("0", Playing(False), MAIN))
    strong = replace(MAIN, smooth="strong")
    bench.session.configure(strong, None)
    bench.session.configure(strong, OTHER)
    bench.session.configure(strong, OTHER)
    assert bench.made[0].calls[1:] == [("configure", strong), ("compare", OTHER)]


def test_configure_starts_a_dead_pipeline_again(bench: Bench) -> None:
    bench.session.open(Order("clip.mp4", Playing(True), MAIN))
    bench.made[0].now = replace(HEALTH, dead=True, error="no such model")
    bench.session.configure(replace(MAIN, max_hands=1), None)
    bench.settle()
    assert [p.camera for p in bench.made] == ["clip.mp4", "clip.mp4"]
    assert bench.made[1].config.max_hands == 1 and bench.made[1].loop


def test_close(bench: Bench) -> None:
    bench.session.open(Order("0", Playing(False), MAIN))
    bench.made[0].closing.clear()
    bench.session.close()
    assert not bench.session.is_ended
    bench.made[0].closing.set()
    bench.settle()
    assert bench.session.is_ended and len(bench.made) == 1


def test_close_while_another_camera_is_awaited(bench: Bench) -> None:
    bench.session.open(Order("0", Playing(False), MAIN))
    bench.made[0].closing.clear()
    bench.session.open(Order("1", Playing(False), MAIN))
    bench.session.close()
    bench.made[0].closing.set()
    bench.settle()
    assert bench.session.is_ended and len(bench.made) == 1


def test_pause_does_not_outlive_the_source(bench: Bench) -> None:
    bench.session.open(Order("0", Playing(False), MAIN))
    bench.session.pause(True)
    assert bench.session.is_paused and bench.made[0].calls[-1] == ("pause", True)
    bench.session.open(Order("1", Playing(False), MAIN))
    assert not bench.session.is_paused


@pytest.mark.parametrize(
    ("camera", "is_one"),
    [("0", True), ("Logitech C920", True), ("/dev/video2", True), ("rtsp://host/a", False),
     ("http://host/a.mjpg", False), ("clip.mp4", False), ("CLIP.MOV", False)],
)  # fmt: skip
def test_what_is_a_device(camera: str, is_one: bool) -> None:
    assert is_device(camera) == is_one


def test_a_file_of_any_name_is_no_device(tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(b"x")
    assert not is_device(str(tmp_path / "clip"))


def test_jobs_run_elsewhere_and_report_here() -> None:
    jobs, go, seen = Jobs(), Event(), []
    jobs.start(lambda: (go.wait(5), get_ident())[1], seen.append, seen.append)
    jobs.poll()
    assert seen == [] and not jobs.is_idle
    go.set()
    end = time.monotonic() + 5
    while not jobs.is_idle and time.monotonic() < end:
        jobs.poll()
    assert len(seen) == 1 and seen[0] != get_ident()


def test_jobs_that_fail() -> None:
    jobs, seen = Jobs(), []

    def fail(error: Exception) -> None:
        raise error

    for error in (UserError("the disk is full"), OSError("no such folder")):
        jobs.start(lambda error=error: fail(error), seen.append, seen.append)
    end = time.monotonic() + 5
    while not jobs.is_idle and time.monotonic() < end:
        jobs.poll()
    assert seen == ["the disk is full", "no such folder"]
    jobs.start(lambda: fail(KeyError("a mistake of ours")), seen.append, seen.append)
    with pytest.raises(KeyError):
        while time.monotonic() < end:
            jobs.poll()
