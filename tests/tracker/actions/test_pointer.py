"""The pointer on fingers moved by hand, 60 frames a second."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.seen import times
from tracker.actions.pointer import SCROLL, Pointer, PointerRule

ASPECT = 4 / 3
AREA = (0.25, 0.25, 0.75, 0.75)


def rest(pointer: Pointer, xy: tuple[float, float], start: float, seconds: float = 2.0) -> object:
    """Where the pointer is after the finger lay still for so long."""
    places = [pointer.move(np.array(xy), ASPECT, t) for t in times(seconds, 60, start)]
    return [p for p in places if p is not None][-1]


def test_the_area_is_the_screen_in_a_mirror() -> None:
    pointer = Pointer(PointerRule(AREA, still=0.0))
    assert rest(pointer, (0.5, 0.5), 0) == pytest.approx((0.5, 0.5))
    assert rest(pointer, (0.25, 0.25), 2) == pytest.approx((1.0, 0.0), abs=1e-3)
    assert rest(pointer, (0.65, 0.6), 4) == pytest.approx((0.2, 0.7), abs=1e-3)
    assert rest(pointer, (0.9, 0.1), 6) == pytest.approx((0.0, 0.0)), "outside is at the edge"
    plain = Pointer(PointerRule(AREA, still=0.0, mirror=False))
    assert rest(plain, (0.65, 0.6), 0) == pytest.approx((0.8, 0.7), abs=1e-3)


def test_a_hand_that_trembles_moves_nothing() -> None:
    pointer = Pointer(PointerRule(AREA, still=0.01))
    assert pointer.move(np.array([0.5, 0.5]), ASPECT, 0.0) is not None
    rng = np.random.default_rng(1)
    for t in times(1, 60, 0.1):
        assert pointer.move(0.5 + rng.uniform(-0.004, 0.004, 2), ASPECT, t) is None
    assert pointer.move(np.array([0.6, 0.5]), ASPECT, 1.2) is not None


def moved(accelerate: float, seconds: float) -> float:
    """How far a move by 0.1 of the picture's width takes the pointer in so many seconds."""
    pointer = Pointer(PointerRule(AREA, accelerate=accelerate, still=0.0, mirror=False))
    rest(pointer, (0.45, 0.5), 0, 1.0)
    for t in times(seconds, 60, 1.0):
        pointer.move(np.array([0.45 + 0.1 * (t - 1) / seconds, 0.5]), ASPECT, t)
    place = rest(pointer, (0.55, 0.5), 1 + seconds)
    assert isinstance(place, tuple)
    return float(place[0])


def test_acceleration() -> None:
    for seconds in (0.1, 2.0):
        assert moved(1.0, seconds) == pytest.approx(0.6, abs=2e-3), "0.3 / 0.5 of the area"
    slow, fast = moved(1.6, 2.0) - 0.5, moved(1.6, 0.1) - 0.5
    assert 0 < slow < 0.12 < 0.25 < fast, "without acceleration both go 0.2 of the screen"


def test_a_hand_that_comes_back_moves_the_pointer_from_where_it_was() -> None:
    pointer = Pointer(PointerRule(AREA, accelerate=1.5, still=0.0, mirror=False))
    rest(pointer, (0.5, 0.5), 0)
    pointer.lose()
    assert rest(pointer, (0.3, 0.3), 3) == pytest.approx((0.5, 0.5))


def test_a_click_stays_where_it_aimed() -> None:
    pointer = Pointer(PointerRule(AREA, still=0.0))
    rest(pointer, (0.5, 0.5), 0)
    pointer.freeze(2.0)
    assert pointer.move(np.array([0.52, 0.52]), ASPECT, 2.05) is None
    assert pointer.move(np.array([0.52, 0.52]), ASPECT, 2.2) is not None


def test_dwell_clicks_once_for_each_rest() -> None:
    pointer = Pointer(PointerRule(AREA, dwell=0.5, dwell_within=0.02))

    def clicks(x: float, start: float, seconds: float) -> int:
        return sum(pointer.dwelt(np.array([x, 0.5]), ASPECT, t) for t in times(seconds, 20, start))

    assert clicks(0.5, 0.0, 0.5) == 0
    assert clicks(0.505, 0.5, 2.0) == 1, "a tremble is rest, and one rest clicks once"
    assert clicks(0.6, 2.5, 0.4) == 0
    assert clicks(0.6, 2.9, 0.4) == 1
    never = Pointer(PointerRule(AREA))
    assert not any(never.dwelt(np.array([0.5, 0.5]), ASPECT, t) for t in times(5, 20))


def test_scrolling_by_the_height_of_the_area() -> None:
    pointer = Pointer(PointerRule(AREA, still=0.0))
    pointer.scroll(np.array([0.5, 0.75]), ASPECT, 0.0)
    up = sum(pointer.scroll(np.array([0.5, 0.75 - 0.5 * t]), ASPECT, t) for t in times(1, 60))
    up += sum(pointer.scroll(np.array([0.5, 0.25]), ASPECT, t) for t in times(2, 60, 1.0))
    assert up == pytest.approx(SCROLL, abs=1)
