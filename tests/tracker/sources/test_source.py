"""From what happens to a source to a state with a reason; from a word to a source."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.sources.source import CameraLimits, CameraWatch, Look, Phase, look_at

LIMITS = CameraLimits()


class Story:
    """A camera's life on a clock that the test turns."""

    def __init__(self, live: bool = True) -> None:
        self.now = 100.0
        self.watch = CameraWatch("Cam", live, self.now, LIMITS)
        self.serial = 0

    def start(self) -> Story:
        self.watch.opening(self.now)
        self.watch.opened(self.now)
        return self

    def frames(self, seconds: float, fps: float = 30.0, still: bool = False, black: bool = False):
        for _ in range(round(seconds * fps)):
            self.now += 1 / fps
            self.serial += not still
            due = self.watch.is_look_due(self.now)
            self.watch.frame(Look(self.serial, black) if due else None, self.now)
            self.watch.tick(self.now)

    def silence(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.watch.tick(self.now)

    @property
    def phase(self) -> Phase:
        return self.watch.state.phase


def test_opening_then_running() -> None:
    story = Story()
    assert story.phase == "opening" and "Cam" in story.watch.state.reason
    story.start().frames(0.1)
    assert story.phase == "running" and story.watch.state.since == pytest.approx(100.033, abs=1e-3)


def test_silence_is_noticed_and_forgiven() -> None:
    story = Story().start()
    story.frames(1)
    last = story.now
    story.silence(1.8)
    assert story.phase == "running"
    story.silence(1.2)
    assert story.phase == "no_frames" and story.watch.state.since == pytest.approx(last)
    assert "for 3 s" in story.watch.state.reason
    assert not story.watch.wants_reopen(story.now)
    story.frames(0.1)
    assert story.phase == "running"
    story.silence(15.2)
    assert story.watch.wants_reopen(story.now)


def test_a_slow_camera_is_not_a_silent_one() -> None:
    """0.1 frames per second: after the first interval its pace is known."""
    story = Story().start()
    story.silence(10)
    story.frames(10, fps=0.1)
    for _ in range(5):
        story.silence(9.9)
        assert story.phase == "running" and not story.watch.wants_reopen(story.now)
        story.frames(0.1, fps=10)


def test_frozen_picture_is_named_reopened_once_and_then_believed() -> None:
    story = Story().start()
    story.frames(2)
    story.frames(2.9, still=True)
    assert story.phase == "running"
    story.frames(0.6, still=True)
    assert story.phase == "frozen"
    assert story.watch.state.since == pytest.approx(102, abs=0.3), "since it froze, not since now"
    assert not story.watch.wants_reopen(story.now)
    story.frames(7, still=True)
    assert story.watch.wants_reopen(story.now)
    story.start()
    story.frames(20, still=True)
    assert story.phase == "frozen" and not story.watch.wants_reopen(story.now)
    story.frames(0.5)
    assert story.phase == "running"


def test_black_picture() -> None:
    story = Story().start()
    story.frames(1.8, black=True)
    assert story.phase == "running"
    story.frames(0.6, black=True)
    assert story.phase == "black" and "cover" in story.watch.state.reason
    story.frames(20, black=True, still=True)
    assert story.phase == "black" and not story.watch.wants_reopen(story.now)
    story.frames(0.3)
    assert story.phase == "running"


def test_a_failure_stays_on_the_screen_while_it_is_opened_again() -> None:
    story = Story().start()
    story.frames(1)
    story.watch.lost("unplugged", "Cam was unplugged", story.now)
    story.silence(5)
    story.watch.opening(story.now)
    assert story.watch.state.reason == "Cam was unplugged"
    story.watch.opened(story.now)
    story.frames(0.1)
    assert story.phase == "running"


def test_opening_for_ever_is_given_up() -> None:
    story = Story()
    story.silence(59)
    assert not story.watch.wants_reopen(story.now)
    story.silence(2)
    assert story.watch.wants_reopen(story.now) and story.phase == "opening"


def test_files_may_stand_still_and_wait() -> None:
    story = Story(live=False).start()
    story.frames(10, still=True, black=True)
    story.silence(100)
    assert story.phase == "running" and not story.watch.wants_reopen(story.now)
    story.watch.ended(story.now)
    assert story.phase == "ended" and "--loop" in story.watch.state.reason


def test_looking() -> None:
    dark = np.zeros((48, 64, 3), np.uint8)
    noisy = np.random.default_rng(0).integers(0, 9, (48, 64, 3), np.uint8)
    assert look_at(dark).is_black and look_at(noisy).is_black
    lamp = dark.copy()
    lamp[:16, :16] = 255
    assert not look_at(lamp).is_black
    changed = noisy.copy()
    changed[47, 63, 2] += 1
    assert look_at(noisy) == look_at(noisy.copy()) != look_at(changed)
    assert look_at(noisy[:, ::2]) == look_at(np.ascontiguousarray(noisy[:, ::2]))
