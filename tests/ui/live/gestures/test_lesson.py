from __future__ import annotations

import pytest

from tests.helpers.clips import track
from tests.tracker.gestures.motions.moved import moved, rest, stroke
from tests.tracker.gestures.taught import examples, seen
from tracker.gestures.own import Gesture, Own
from ui.live.gestures.lesson import Lesson

HAND = [seen(examples("l_shape", 1)[0].hands[0])]


def test_phases_by_the_clock() -> None:
    lesson = Lesson(Gesture("corner"), 100.0)
    for t, phase, share in (
        (100.0, "get ready", 0), (101.5, "get ready", 0.5), (103, "show it", 0),
        (108, "show it", 0.5), (114.5, "anything else next", 0.5),
        (121, "show anything else", 0.5), (126, "done", 1),
    ):  # fmt: skip
        assert lesson.phase(t) == (phase, pytest.approx(share))


def test_samples_are_taken_in_their_phases() -> None:
    lesson = Lesson(Gesture("corner"), 0.0)
    for i in range(30 * 26):
        assert lesson.take(HAND, i / 30)
        if lesson.count() == 1:
            assert lesson.progress == "1 sample."
    assert lesson.count() == pytest.approx(300, abs=1) and lesson.problem == ""
    assert lesson.progress == f"{lesson.count()} samples."
    (gesture,) = lesson.added_to(Own(), "camera 0").gestures
    assert [len(t) for t in gesture.takes] == [lesson.count()]
    assert [len(t) for t in gesture.others] == [lesson.count("anything else")]
    assert lesson.added_to(Own(), "camera 0").done[0]["from"] == "camera 0"


def test_a_hand_that_is_not_seen_is_told() -> None:
    lesson, face = Lesson(Gesture("corner"), 0.0), [track("face")]
    assert lesson.take(face, 1.0), "nothing is asked for yet"
    assert not lesson.take(face, 5.0) and not lesson.take([], 20.0)
    assert "a hand was seen in 0 frames and 30 are the least" in lesson.problem
    assert not Lesson(Gesture("pair", "both"), 0.0).take(HAND, 5.0), "one hand of two"


def test_skipping() -> None:
    lesson = Lesson(Gesture("corner"), 0.0)
    lesson.skip(1.0)
    assert lesson.phase(1.0)[0] == "show it"
    lesson.skip(2.0)
    assert lesson.phase(2.0)[0] == "anything else next"
    lesson.skip(2.0)
    assert lesson.phase(2.0)[0] == "done", "anything else is left out"


def test_a_motion_must_be_made_some_times() -> None:
    for times, problem in ((2, "it was seen 2 times and 3 are the least"), (4, "")):
        lesson = Lesson(Gesture("swing", is_motion=True), 0.0)
        parts = [rest(1.0), *[stroke(0, 2, 0.5), rest(0.8)] * times]
        for t, one in moved(parts).tracks():
            assert lesson.take([one], 3.0 + t, 70.0 + t)
        assert lesson.problem.startswith(problem) and bool(lesson.problem) == bool(problem)
        assert lesson.progress == f"Seen {times} times so far; six are good."
        (gesture,) = lesson.added_to(Own(), "camera 0").gestures
        assert gesture.is_motion and gesture.takes[0][0].t == pytest.approx(70 + 1 / 30, abs=1e-3)
