"""Where an object was a moment ago, and where that leads."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.follow.course import HOLD, SPAN, Course

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32) - 5


def at(x: float, y: float, scale: float = 1.0) -> np.ndarray:
    return (SQUARE * scale + np.array([x, y])).astype(np.float32)


def evenly(until: float = 1.0, fps: float = 20.0) -> Course:
    """60 px a second to the right, 20 down."""
    course = Course()
    for n in range(round(until * fps) + 1):
        course.add(n / fps, at(60 * n / fps, 20 * n / fps))
    return course


def test_even_motion_leads_on_and_dies_out() -> None:
    """It ends at 60, 20; what it still drives has the velocity's time constant."""
    assert evenly().at(1.0)[0] == pytest.approx([60, 20], abs=0.01)
    middle, size = evenly().at(1.3)
    way = HOLD * (1 - np.exp(-0.3 / HOLD))
    assert middle == pytest.approx([60 + 60 * way, 20 + 20 * way], abs=0.01) and size == 10
    far, _ = evenly().at(100.0)
    assert far == pytest.approx([60 + 60 * HOLD, 20 + 20 * HOLD], abs=0.01)


def test_what_was_done_last_does_not_count() -> None:
    """It slides back in the last 0.15 s, onto something twice as large; foretold from 0.95 s."""
    course = evenly()
    for n in range(1, 4):
        course.add(1.0 + n / 20, at(60 - 20 * n, 20, 2.0))
    middle, size = course.at(1.15)
    assert middle == pytest.approx([69, 23], abs=0.01) and size == 10


def test_who_slid_over_surprises() -> None:
    """At 1.05 s it should be near 63, 21. Ten px off is its size, and twice the size is log 2."""
    onward = HOLD * (1 - np.exp(-0.05 / HOLD))
    due = np.array([60 + 60 * onward, 20 + 20 * onward])
    course = evenly()
    assert course.surprise(1.05, at(*due)) == pytest.approx(0, abs=1e-3)
    assert course.surprise(1.05, at(due[0] + 6, due[1] + 8)) == pytest.approx(1, abs=1e-3)
    assert course.surprise(1.05, at(*due, 2.0)) == pytest.approx(np.log(2), abs=1e-3)
    assert course.surprise(1.05, at(63, 21)) < 0.05, "even motion hardly does"


def test_a_short_past_stands_still() -> None:
    course = Course()
    course.add(5.0, at(30, 40))
    assert course.at(9.0)[0] == pytest.approx([30, 40])
    course.add(5.02, at(90, 40))
    assert course.at(9.0)[0] == pytest.approx([30, 40])
    assert course.surprise(5.02, at(30, 40)) == 0


def test_old_places_are_forgotten() -> None:
    """It stood for long and moves since SPAN and SLIDE ago: only the motion is left."""
    course = Course()
    for n in range(200):
        t = n / 20
        course.add(t, at(60 * max(t - 9.0, 0.0), 0))
    (x, _), _ = course.at(9.95)
    assert SPAN < 0.95 and x == pytest.approx(60 * 0.95, abs=0.01)
    course.clear()
    course.add(20.0, at(1, 2))
    assert course.at(20.0)[0] == pytest.approx([1, 2])
