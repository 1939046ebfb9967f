"""Detectors beside a live tracker: hand-made sequences, and detectors that a test holds back."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import pytest

from tests.helpers.drawn import SHAPE, BlobEngine, BlobFinder, blob_info, draw_blobs
from tests.helpers.live import LIMITS, FakeCamera, wait_for
from tracker import Tracker, TrackerConfig
from tracker.find.background_detector import BEHIND, STALE, BackgroundDetector
from tracker.find.locate import Model
from tracker.find.views import whole
from tracker.live.pipeline import Pipeline
from tracker.timings import Timings
from tracker.types import Detection, Track

LIVE = TrackerConfig(faces=False, smooth="off", live=True)
ONE = replace(LIVE, max_hands=1)
HAND = np.add(SHAPE, (80, 100))
OTHER = np.add(SHAPE, (220, 100))
BLACK = draw_blobs([])


class HeldFinder(BlobFinder):
    """Answers when the test lets it; takes `delay` seconds; fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer, self.delay = threading.Event(), 0.0
        self.may_answer.set()
        self.failure: BaseException | None = None
        self.frames: list[np.ndarray] = []
        self.threads: set[str] = set()
        self.niceness: set[int] = set()

    def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
        self.frames.append(frame_bgr)
        self.threads.add(threading.current_thread().name)
        if sys.platform == "linux":
            self.niceness.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        found = super().detect(frame_bgr)
        sleep(self.delay)
        assert self.may_answer.wait(20)
        if self.failure is not None:
            raise self.failure
        return found


class Stage:
    """A tracker of drawn hands, at 30 frames per second of stream time."""

    def __init__(self, config: TrackerConfig = ONE) -> None:
        self.finder, self.engine, self.frame = HeldFinder(), BlobEngine(), 0
        models = {"hand": Model(self.engine, blob_info(), Path(__file__))}
        self.tracker = Tracker(config, models, {"hand": self.finder})

    def show(self, *hands: np.ndarray) -> tuple[Track, ...]:
        """The next frame, with these hands."""
        self.finder.objects = list(hands)
        result = self.tracker.process(draw_blobs(hands), self.frame / 30)
        self.frame += 1
        return result.tracks

    def settle(self) -> None:
        """Until what was asked is answered."""
        lookout = self.tracker._background
        assert lookout is not None
        wait_for(lambda: lookout._asked is None, "an answer")


def begin_a_look(stage: Stage) -> None:
    """A look at a frame with a hand is under way and does not end yet."""
    stage.finder.may_answer.clear()
    stage.show(HAND)
    wait_for(lambda: stage.finder.calls == 1, "the look")


@contextmanager
def staged(config: TrackerConfig = ONE) -> Iterator[Stage]:
    stage = Stage(config)
    try:
        yield stage
    finally:
        stage.finder.may_answer.set()
        stage.tracker.close()


def lookouts() -> int:
    return sum(thread.name == "background detector" for thread in threading.enumerate())


def test_frames_go_on_while_the_detector_looks() -> None:
    """It does not answer for 0.6 s, in which a followed hand is followed."""
    with staged(LIVE) as stage:
        stage.show(HAND)
        stage.settle()
        assert len(stage.show(HAND)) == 1
        stage.finder.may_answer.clear()
        for _ in range(18):
            (track,) = stage.show(HAND, OTHER)
            assert track.xy == pytest.approx(HAND, abs=1)
        stage.finder.may_answer.set()
        stage.settle()
        assert stage.finder.calls == 2, "no other look was asked for while one was under way"
        assert [t.id for t in stage.show(HAND, OTHER)] == [1, 2]


def test_a_slow_detector_does_not_slow_the_frames() -> None:
    """Without a thread every frame would take the 50 ms of its look."""
    with staged(replace(ONE, detect_interval=0.0)) as stage:
        stage.finder.delay = 0.05
        took, end = list[float](), perf_counter() + 0.6
        while perf_counter() < end:
            before = perf_counter()
            stage.show()
            took.append(perf_counter() - before)
            sleep(0.01)
        assert stage.finder.calls >= 3 and np.median(took) < 0.04
        assert stage.frame > 2 * stage.finder.calls


def test_a_hand_is_found_within_two_looks() -> None:
    """It appears at frame 3; looks are at 0.0 and 0.2 s, and the second one's answer is at once."""
    with staged() as stage:
        stage.finder.delay = 0.05
        seen = []
        for i in range(9):
            seen.append(len(stage.show(*([HAND] if i >= 3 else []))))
            stage.settle()
        assert seen == [0, 0, 0, 0, 0, 0, 0, 1, 1] and stage.finder.calls == 2


def test_looks_are_as_rare_as_before() -> None:
    """At 30 fps and an interval of 0.2 s: after frames 0, 6, 12, ... of the 31."""
    with staged(LIVE) as stage:
        for _ in range(31):
            stage.show(HAND)
            stage.settle()
        assert stage.finder.calls == 6 and stage.finder.threads == {"background detector"}


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is a process's there")
def test_a_look_lets_the_frame_go_first() -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with staged() as stage:
        stage.show(HAND)
        stage.settle()
        assert stage.finder.niceness == {max(own, BEHIND)}
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


def test_what_moved_on_is_found_in_the_newest_frame() -> None:
    """The detection is from a frame before: 6 px off, and the landmarks are of the new place."""
    with staged() as stage:
        stage.show(HAND)
        stage.settle()
        (track,) = stage.show(np.add(HAND, (6, 0)))
        assert track.xy == pytest.approx(np.add(HAND, (6, 0)), abs=1)


def test_a_followed_hand_is_not_found_twice() -> None:
    """The detector still sees it where it was, beside where it is now."""
    with staged(LIVE) as stage:
        stage.show(HAND)
        stage.settle()
        for i in range(20):
            assert [t.id for t in stage.show(np.add(HAND, (3 * i, 0)))] == [1]
            stage.settle()


def test_stale_sightings_are_dropped() -> None:
    with staged() as stage:
        stage.show(HAND)
        stage.settle()
        stage.frame = int(30 * STALE) + 1
        assert stage.show(HAND) == ()
        stage.settle()
        assert len(stage.show(HAND)) == 1
    with staged() as stage:
        stage.show(HAND)
        stage.settle()
        stage.frame = int(30 * STALE)
        assert len(stage.show(HAND)) == 1


def test_reset_forgets_the_look_under_way() -> None:
    with staged() as stage:
        begin_a_look(stage)
        stage.tracker.reset()
        stage.frame = 0
        assert stage.show() == ()  # is asked for while the old look is still under way
        stage.finder.may_answer.set()
        stage.settle()
        assert stage.show(HAND) == () and stage.finder.calls == 2
        assert np.array_equal(stage.finder.frames[1], BLACK)


def test_an_answer_after_a_reset_is_nobodys() -> None:
    with staged() as stage:
        begin_a_look(stage)
        stage.tracker.reset()
        stage.finder.may_answer.set()
        sleep(0.1)  # it answers
        assert stage.show(HAND) == ()
        stage.settle()
        assert len(stage.show(HAND)) == 1


def test_the_newest_question_wins() -> None:
    finder, timings = HeldFinder(), Timings()
    lookout = BackgroundDetector({"hand": finder}, timings)
    assert lookout.take(0.0) == {} and not lookout.busy
    finder.may_answer.clear()
    views = {"hand": [whole((4, 6))]}
    lookout.ask(np.full((4, 6, 3), 0, np.uint8), 0.0, views)
    wait_for(lambda: finder.calls == 1, "the first look")
    finder.objects = [HAND]
    for i in (1, 2):
        lookout.ask(np.full((4, 6, 3), i, np.uint8), i / 10, views)
    finder.may_answer.set()
    wait_for(lambda: lookout._seen is not None, "an answer")
    assert lookout.busy
    (found,) = lookout.take(0.2)["hand"]
    assert found.box_xyxy[[0, 2]].mean() == pytest.approx(80)
    assert [int(frame[0, 0, 0]) for frame in finder.frames] == [0, 2]
    assert lookout.take(0.2) == {} and not lookout.busy
    lookout.close()


def test_its_time_is_counted_beside_the_frames() -> None:
    with staged() as stage:
        stage.finder.delay = 0.05
        spent = 0.0
        for _ in range(2):
            begun = perf_counter()
            stage.show()
            spent += perf_counter() - begun
            stage.settle()
        timings = stage.tracker.timings
        assert timings.calls["detect"] == 1 and timings.frames == 2
        assert timings.seconds["detect"] >= 0.05 > spent


@pytest.mark.parametrize("failure", [LookupError("broken"), SystemExit("ended")])
def test_what_the_detector_raises_is_raised_in_the_tracker(failure: BaseException) -> None:
    """As without a thread: that frame fails, and the next look is tried."""
    with staged() as stage:
        stage.finder.failure = failure
        stage.show(HAND)
        stage.settle()
        with pytest.raises(type(failure), match=str(failure)):
            stage.show(HAND)
        stage.finder.failure = None
        seen = []
        for _ in range(8):
            seen.append(len(stage.show(HAND)))
            stage.settle()
        assert seen == [0, 0, 0, 0, 0, 0, 1, 1], "after the look at 0.2 s, which is frame 6"


def test_a_tracker_that_is_not_live_has_no_thread() -> None:
    """It looks on the caller's, at the frame itself: no result depends on time."""
    before = threading.active_count()
    stage = Stage(replace(ONE, live=False))
    stage.finder.delay = 0.05
    assert len(stage.show(HAND)) == 1
    assert stage.finder.threads == {threading.current_thread().name}
    assert threading.active_count() == before
    stage.tracker.close()
    assert len(stage.show(HAND)) == 1


def test_offline_no_bit_depends_on_the_detectors_speed() -> None:
    """Hands that come, move and leave, with a detector that is slow on every second run."""
    runs = []
    for delay in (0.0, 0.02):
        stage = Stage(replace(LIVE, live=False, smooth="strong"))
        stage.finder.delay = delay
        results = []
        for i in range(30):
            hands = [np.add(HAND, (2.5 * i, 0)), OTHER][: 0 if 12 < i < 18 else 1 + (i > 5)]
            results += [(i, t.id, t.xy.tobytes(), t.xy_raw.tobytes()) for t in stage.show(*hands)]
        runs.append((results, stage.finder.calls))
    assert runs[0] == runs[1] and len(runs[0][0]) > 20


def test_the_thread_ends_with_the_tracker() -> None:
    before = lookouts()
    with staged() as stage:
        stage.show(HAND)
        assert lookouts() == before + 1
    assert lookouts() == before
    stage.tracker.close()  # once more is no error
    with pytest.raises(ValueError, match="no model of objects comes"):
        Tracker(replace(ONE, objects=True), None, {"hand": BlobFinder()})
    assert lookouts() == before


def test_a_detector_that_hangs_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.find.background_detector.JOIN", 0.05)
    stage = Stage()
    begin_a_look(stage)
    stage.tracker.close()
    assert lookouts() == 1
    stage.finder.may_answer.set()
    wait_for(lambda: lookouts() == 0, "its end")


@contextmanager
def piped(make: Callable[[TrackerConfig], Tracker]) -> Iterator[Pipeline]:
    """The pipeline with real trackers on a camera that shows a hand."""
    camera = FakeCamera()
    camera.picture = lambda index: draw_blobs([np.add(HAND, (index % 2, 0))])
    pipeline = Pipeline(camera, ONE, make, limits=LIMITS)
    pipeline.start()
    try:
        yield pipeline
    finally:
        assert pipeline.close(10)


def make(config: TrackerConfig) -> Tracker:
    """A tracker of drawn hands whose finder knows the one."""
    finder = BlobFinder()
    finder.objects = [HAND]
    model = Model(BlobEngine(), blob_info(), Path(__file__))
    return Tracker(config, {"hand": model}, {"hand": finder})


def is_followed(pipeline: Pipeline, other: bool = False) -> bool:
    shown = pipeline.latest()
    result = None if shown is None else shown.other if other else shown.result
    return result is not None and len(result.tracks) == 1


def test_no_thread_is_left_by_a_pipeline_that_changes_its_trackers() -> None:
    before = set(threading.enumerate())
    with piped(make) as pipeline:
        wait_for(lambda: is_followed(pipeline), "the hand")
        assert lookouts() == 1
        for smooth in ("light", "strong", "off"):
            tracker_before = pipeline._tracking._main
            pipeline.configure(replace(ONE, smooth=smooth))  # type: ignore[arg-type]
            wait_for(lambda old=tracker_before: pipeline._tracking._main is not old, "the new one")
            assert lookouts() == 1
        pipeline.compare(replace(ONE, smooth="strong"))
        wait_for(lambda: is_followed(pipeline, other=True), "the second one")
        assert lookouts() == 2
        pipeline.compare(LIVE)
        pipeline.configure(replace(ONE, live=False))
        wait_for(lambda: lookouts() == 1, "one is not live now")
        pipeline.compare(None)
        wait_for(lambda: lookouts() == 0, "no second one")
        pipeline.configure(ONE)
        wait_for(lambda: lookouts() == 1, "live again")
    assert set(threading.enumerate()) <= before


def test_a_tracker_whose_facts_cannot_be_read_leaves_no_thread(tmp_path: Path) -> None:
    """Its model's file is gone after it was loaded; the pipeline cannot begin."""

    def gone(config: TrackerConfig) -> Tracker:
        model = Model(BlobEngine(), blob_info(), tmp_path / "gone.onnx")
        return Tracker(config, {"hand": model}, {"hand": BlobFinder()})

    with piped(gone) as pipeline:
        wait_for(lambda: pipeline.health().dead, "the end")
        assert "gone.onnx" in str(pipeline.health().error)
        wait_for(lambda: lookouts() == 0, "no thread")


def test_a_detector_that_fails_is_said_and_a_dead_tracker_leaves_no_thread() -> None:
    finder = HeldFinder()
    finder.failure = LookupError("the detector broke")

    def failing(config: TrackerConfig) -> Tracker:
        models = {"hand": Model(BlobEngine(), blob_info(), Path(__file__))}
        return Tracker(replace(config, detect_interval=0.0), models, {"hand": finder})

    with piped(failing) as pipeline:
        wait_for(lambda: "the detector broke" in str(pipeline.health().error), "the sentence")
        assert pipeline.health().failed_frames >= 1
    assert lookouts() == 0
