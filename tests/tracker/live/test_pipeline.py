"""The live pipeline with fake cameras and trackers: whatever breaks, the rest goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.helpers import clips
from tests.helpers.live import LIMITS, FakeCamera, FakeLiveTracker, noise, wait_for
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.live.pipeline import Pipeline
from tracker.sources.paced_file import FileSource
from tracker.sources.source import CameraError
from tracker.sources.within import within
from tracker.types import Frame

CONFIG = TrackerConfig()


@contextmanager
def running(
    camera: object, tracker: object = None, make: Callable[..., object] | None = None
) -> Iterator[Pipeline]:
    """A pipeline that has begun, and that ends cleanly."""
    tracker = tracker or FakeLiveTracker()
    pipeline = Pipeline(camera, CONFIG, make or (lambda config: tracker), limits=LIMITS)
    pipeline.start()
    try:
        yield pipeline
    finally:
        assert pipeline.close(10), [t.name for t in threading.enumerate()]


def serial(pipeline: Pipeline) -> int:
    shown = pipeline.latest()
    return 0 if shown is None else shown.serial


def wait_for_picture(pipeline: Pipeline) -> None:
    seen = serial(pipeline)
    wait_for(lambda: serial(pipeline) > seen, f"a picture; {pipeline.health()}")


def wait_for_phase(pipeline: Pipeline, phase: str) -> None:
    wait_for(lambda: pipeline.health().camera.phase == phase, f"{phase}: {pipeline.health()}")


def test_frames_come_out_with_results_and_times() -> None:
    with running(FakeCamera()) as pipeline:
        assert pipeline.latest() is None and pipeline.health().camera.phase == "opening"
        wait_for_picture(pipeline)
        wait_for(lambda: serial(pipeline) > 20, "20 frames")
        shown, health = pipeline.latest(), pipeline.health()
        assert shown is not None
        assert shown.frame.t <= shown.t_capture <= shown.t_done <= monotonic()
        assert shown.result.t == shown.frame.t and shown.result.tracks[0].kind == "hand"
        assert shown.other is None
        assert health.camera.phase == "running" and health.error is None and not health.dead
        assert 10 < health.capture_fps < 70 and health.lag_ms == 12.0 and health.gaps == ()
        assert health.tracker_ms > 0 and health.recording is None


def test_all_threads_end() -> None:
    before = set(threading.enumerate())
    camera = FakeCamera()
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
    assert set(threading.enumerate()) <= before and camera.closes


def test_slow_tracker_sees_fresh_frames_and_the_rest_is_counted() -> None:
    tracker = FakeLiveTracker()
    tracker.delay = 0.1
    with running(FakeCamera(fps=100), tracker) as pipeline:
        ages = []
        for _ in range(5):
            wait_for_picture(pipeline)
            shown = pipeline.latest()
            assert shown is not None
            ages.append(shown.t_done - shown.t_capture)
        assert sorted(ages)[2] < 0.16, "work, and at most about one frame of waiting"
        assert pipeline.health().dropped > 10
        assert 60 < pipeline.health().network_ms < 200


def test_unplug_and_replug() -> None:
    camera = FakeCamera()
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
        last = pipeline.latest()
        camera.plugged = False
        wait_for_phase(pipeline, "unplugged")
        health = pipeline.health()
        assert "plug it in again" in health.camera.reason and health.gaps[-1].end is None
        opens = camera.opens
        wait_for(lambda: camera.opens > opens + 1, "it is tried again")
        assert pipeline.health().camera.phase == "unplugged"
        camera.plugged = True
        wait_for_phase(pipeline, "running")
        wait_for_picture(pipeline)
        (gap,) = pipeline.health().gaps
        shown = pipeline.latest()
        assert last is not None and shown is not None and gap.end is not None
        assert last.frame.t <= gap.start < gap.end <= shown.frame.t
        assert gap.phase == "unplugged" and gap.end - gap.start < monotonic() - last.t_capture


def test_unplugged_although_frames_still_come() -> None:
    """Some drivers repeat the last picture: the device's presence tells."""
    camera = FakeCamera()
    camera.present = lambda: False  # type: ignore[method-assign]
    with running(camera) as pipeline:
        wait_for_phase(pipeline, "unplugged")


def test_read_that_blocks_for_ever() -> None:
    camera = FakeCamera()
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
        camera.blocks = True
        wait_for_phase(pipeline, "no_frames")
        wait_for(lambda: camera.opens >= 2, "it is opened again beside the stuck read")
        camera.blocks = False  # of new reads
        wait_for_phase(pipeline, "running")
        wait_for_picture(pipeline)
        seen, closes = serial(pipeline), camera.closes
        camera.release.set()  # the stuck read returns, long forgotten
        wait_for(lambda: serial(pipeline) > seen + 5, "it goes on undisturbed")
        assert camera.closes == closes, "the old thread does not close what the new one reads"


def test_stuck_reads_are_bounded_and_close_does_not_wait_for_them() -> None:
    camera = FakeCamera()
    camera.blocks = True
    pipeline = Pipeline(camera, CONFIG, lambda config: FakeLiveTracker(), limits=LIMITS)
    pipeline.start()
    wait_for_phase(pipeline, "failed")
    assert "start this program again" in pipeline.health().camera.reason
    assert camera.opens == LIMITS.stuck
    begun = monotonic()
    assert not pipeline.close(0.3) and monotonic() - begun < 2
    camera.release.set()
    assert pipeline.close(10), "once the driver lets go, all ends"


def test_closing_while_the_camera_opens() -> None:
    camera = FakeCamera()
    camera.open_blocks = True
    pipeline = Pipeline(camera, CONFIG, lambda config: FakeLiveTracker(), limits=LIMITS)
    pipeline.start()
    wait_for(lambda: camera.opens == 1, "opening")
    assert pipeline.health().camera.phase == "opening"
    begun = monotonic()
    assert not pipeline.close(0.3) and monotonic() - begun < 2
    camera.release.set()
    assert pipeline.close(10) and pipeline.latest() is None


def test_a_tenth_of_a_frame_per_second_does_not_reopen() -> None:
    """Scaled: one frame in 0.6 s where silence is noticed after 0.3 and given up after 0.8 s."""
    camera = FakeCamera(fps=1 / 0.6)
    with running(camera) as pipeline:
        wait_for(lambda: serial(pipeline) >= 2, "two frames")
        phases = set()
        for _ in range(120):
            phases.add(pipeline.health().camera.phase)
            sleep(0.01)
        assert phases == {"running"} and camera.opens == 1
        assert 0.5 < pipeline.health().capture_fps < 2.5


def test_frozen_and_black_pictures_are_said_and_shown() -> None:
    camera = FakeCamera()
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
        camera.picture = lambda i: noise(7)
        wait_for_phase(pipeline, "frozen")
        wait_for_picture(pipeline)
        camera.picture = lambda i: noise(i) // 200
        wait_for_phase(pipeline, "black")
        camera.picture = noise
        wait_for_phase(pipeline, "running")
        frozen, black = pipeline.health().gaps
        assert (frozen.phase, black.phase) == ("frozen", "black")
        assert black.end is not None and black.end - black.start > 0.25


def test_resolution_change_in_the_stream() -> None:
    camera, tracker = FakeCamera(), FakeLiveTracker()
    with running(camera, tracker) as pipeline:
        wait_for_picture(pipeline)
        assert tracker.resets == 1
        camera.picture = lambda i: noise(i, (64, 48))
        wait_for(lambda: (48, 64, 3) in tracker.shapes, "the new size")
        assert tracker.resets == 2 and pipeline.health().error is None


def test_a_detector_that_raises_once() -> None:
    tracker = FakeLiveTracker()
    with running(FakeCamera(), tracker) as pipeline:
        wait_for_picture(pipeline)
        tracker.fail = 1
        wait_for(lambda: pipeline.health().failed_frames == 1, "it is counted")
        wait_for_picture(pipeline)
        error = pipeline.health().error
        assert error is not None and "LookupError: the detector broke" in error
        assert "goes on" in error and not pipeline.health().dead


def test_a_tracker_that_always_fails_ends_the_pipeline() -> None:
    tracker = FakeLiveTracker()
    tracker.fail = 10**6
    with running(FakeCamera(fps=200), tracker) as pipeline:
        wait_for(lambda: pipeline.health().dead, "the end")
        error = pipeline.health().error
        assert error is not None and error.startswith("tracker ended: LookupError")
        wait_for(lambda: not alive("camera"), "the camera is let go")


def test_a_camera_thread_that_dies_ends_the_pipeline() -> None:
    camera = FakeCamera()
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
        camera.crash = ZeroDivisionError("a bug")
        wait_for(lambda: pipeline.health().dead, "the end")
        assert pipeline.health().error == "camera ended: ZeroDivisionError: a bug"
        assert pipeline.latest() is not None, "the last picture stays"
        wait_for(lambda: not alive("tracker"), "the tracker has ended")


def alive(name: str) -> bool:
    return any(t.name == name for t in threading.enumerate())


def test_models_that_cannot_be_loaded_at_first() -> None:
    def make(config: TrackerConfig) -> object:
        raise FileNotFoundError("there is no network file at hand.onnx; check the path")

    with running(FakeCamera(), make=make) as pipeline:
        wait_for(lambda: pipeline.health().dead, "the end")
        assert "no network file at hand.onnx" in (pipeline.health().error or "")


def test_configure_swaps_and_keeps_the_old_one_when_it_fails() -> None:
    made: list[TrackerConfig] = []

    def make(config: TrackerConfig) -> FakeLiveTracker:
        if config.hand_model == "bad":
            raise ValueError("bad is no model; choose another file")
        made.append(config)
        return FakeLiveTracker()

    with running(FakeCamera(), make=make) as pipeline:
        wait_for_picture(pipeline)
        strong = replace(CONFIG, smooth="strong")
        pipeline.configure(strong)
        wait_for(lambda: made == [CONFIG, strong], "the new one")
        pipeline.configure(replace(CONFIG, hand_model="bad"))
        wait_for(lambda: pipeline.health().error is not None, "the reason")
        assert pipeline.health().error == (
            "the old settings stay in use: bad is no model; choose another file"
        )
        wait_for_picture(pipeline)
        pipeline.configure(CONFIG)
        wait_for(lambda: pipeline.health().error is None, "a good one settles it")


def test_compare_on_the_same_frame() -> None:
    second = FakeLiveTracker()

    def make(config: TrackerConfig) -> FakeLiveTracker:
        return FakeLiveTracker() if config is CONFIG else second

    with running(FakeCamera(), make=make) as pipeline:
        wait_for_picture(pipeline)
        pipeline.compare(replace(CONFIG, smooth="off"))
        wait_for(lambda: (s := pipeline.latest()) is not None and s.other is not None, "both")
        shown = pipeline.latest()
        assert shown is not None and shown.other is not None
        assert shown.other.t == shown.result.t == shown.frame.t
        pipeline.compare(None)
        wait_for(lambda: (s := pipeline.latest()) is not None and s.other is None, "one")


def test_pause_holds_the_picture_and_a_camera_stays_fresh() -> None:
    camera, tracker = FakeCamera(), FakeLiveTracker()
    with running(camera, tracker) as pipeline:
        wait_for_picture(pipeline)
        pipeline.pause(True)
        sleep(0.1)
        held, read = serial(pipeline), camera.count
        wait_for(lambda: camera.count > read + 5, "the camera is read on")
        assert serial(pipeline) == held
        pipeline.pause(False)
        wait_for_picture(pipeline)
        shown = pipeline.latest()
        assert shown is not None and monotonic() - shown.frame.t < 0.5
        assert tracker.resets == 2, "what comes after is another stream"


def test_a_paused_file_waits_and_an_ended_one_says_so(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", clips.Clip(frames=20))
    with running(FileSource(path)) as pipeline:
        wait_for_picture(pipeline)
        pipeline.pause(True)
        sleep(0.1)
        held = serial(pipeline)
        sleep(1.0)
        assert serial(pipeline) == held and pipeline.health().camera.phase == "running"
        pipeline.pause(False)
        wait_for_phase(pipeline, "ended")
        wait_for(lambda: serial(pipeline) == 20, "no frame was lost in the pause")
        shown = pipeline.latest()
        assert shown is not None and shown.frame.t == pytest.approx(19 / 25)
        assert not pipeline.health().dead


def test_a_file_waits_for_the_networks(tmp_path: Path) -> None:
    """A clip of 0.16 s was over before they were there. Nor does the end of a pause let it go."""
    path, loaded = clips.make(tmp_path / "a.mp4", clips.Clip(frames=4)), threading.Event()

    def make(config: TrackerConfig) -> FakeLiveTracker:
        assert loaded.wait(10)
        return FakeLiveTracker()

    with running(FileSource(path), make=make) as pipeline:
        pipeline.pause(True)
        pipeline.pause(False)
        sleep(0.5)
        assert pipeline.health().camera.phase == "opening"
        loaded.set()
        wait_for_phase(pipeline, "ended")
        wait_for(lambda: serial(pipeline) == 4, "all frames")
        assert pipeline.health().dropped == 0


def test_a_file_paused_while_networks_load_stays_at_its_start(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", clips.Clip(frames=4))
    pipeline = Pipeline(FileSource(path), CONFIG, lambda config: FakeLiveTracker(), limits=LIMITS)
    pipeline.pause(True)
    pipeline.start()
    sleep(0.5)
    assert serial(pipeline) == 0
    pipeline.pause(False)
    wait_for_phase(pipeline, "ended")
    assert pipeline.close(10)


def test_no_frame_slips_through_a_pause(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4", clips.Clip(times=[0, 400, 800]))
    with running(FileSource(path)) as pipeline:
        wait_for_picture(pipeline)
        pipeline.pause(True)  # the next one is being waited for
        sleep(0.7)
        assert serial(pipeline) == 1


def test_a_looped_file_resets_the_tracker_and_its_times_rise(tmp_path: Path) -> None:
    path, tracker = clips.make(tmp_path / "a.mp4", clips.Clip(frames=5)), FakeLiveTracker()
    with running(FileSource(path, loop=True), tracker) as pipeline:
        wait_for(lambda: serial(pipeline) > 12, "three laps")
        assert tracker.resets >= 3 and pipeline.health().gaps == ()
        shown = pipeline.latest()
        assert shown is not None and shown.frame.t >= 12 / 25 - 1e-6 and shown.frame.index < 5


def test_a_file_that_is_no_video_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nonsense")
    with running(FileSource(tmp_path / "a.mp4")) as pipeline:
        wait_for_phase(pipeline, "failed")
        assert "a.mp4 could not be read" in pipeline.health().camera.reason


def test_calls_return_at_once_while_everything_is_stuck() -> None:
    camera, tracker = FakeCamera(), FakeLiveTracker()
    camera.blocks = True
    tracker.delay = 2.0
    pipeline = Pipeline(camera, CONFIG, lambda config: tracker, limits=LIMITS)
    pipeline.start()
    sleep(0.1)
    slowest = 0.0
    for _ in range(50):
        begun = monotonic()
        pipeline.latest()
        pipeline.health()
        pipeline.configure(CONFIG)
        pipeline.compare(None)
        pipeline.pause(False)
        slowest = max(slowest, monotonic() - begun)
        sleep(0.005)
    assert slowest < 0.05
    camera.release.set()
    assert pipeline.close(10)


def test_nothing_to_save_yet(tmp_path: Path) -> None:
    camera = FakeCamera()
    camera.plugged = False
    with running(camera) as pipeline:
        with pytest.raises(UserError, match="no picture yet"):
            pipeline.snapshot(tmp_path)
        with pytest.raises(UserError, match="no picture yet"):
            pipeline.flag(tmp_path)
        assert pipeline.stop_recording() is None


def test_within() -> None:
    assert within(5, lambda: 7, "it") == 7
    with pytest.raises(KeyError):
        within(5, lambda: {}[1], "it")
    release = threading.Event()
    with pytest.raises(CameraError, match="it does not answer"):
        within(0.05, lambda: release.wait(20), "it")
    release.set()


def test_threads_start_in_eight_places_only() -> None:
    room = Path(__file__).parents[3] / "tracker"
    starting = [p.name for p in room.rglob("*.py") if "Thread(" in p.read_text(encoding="utf-8")]
    # a live tracker's detectors; the pause key; what is live; what actions may wait for; files; two
    # receivers that answer; a device that may not answer
    assert sorted(starting) == [
        "background_detector.py", "hotkey.py", "pipeline.py", "runners.py", "side_by_side.py",
        "vtubestudio.py", "websocket.py", "within.py",
    ]  # fmt: skip


def test_feed_times_rise_even_when_the_source_starts_anew() -> None:
    camera = FakeCamera()
    read = camera.read

    def from_zero() -> Frame | None:
        frame = read()
        return frame and replace(frame, t=camera.count % 10 / 10)

    camera.read = from_zero  # type: ignore[method-assign]
    times: list[float] = []
    with running(camera) as pipeline:
        while len(times) < 30:
            wait_for_picture(pipeline)
            with suppress(AttributeError):
                times.append(pipeline.latest().frame.t)  # type: ignore[union-attr]
    assert times == sorted(times) and len(set(times)) > 20
