"""Holes in the times of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from tracker.sources.complaints import Holes


def found(ms: Sequence[int]) -> dict[int, int]:
    """Missing frames, by the time after the hole."""
    holes = Holes()
    counts = {t: holes.before(Fraction(t, 1000)) for t in ms}
    return {t: count for t, count in counts.items() if count}


def test_a_hole_in_an_even_stream() -> None:
    assert found([*range(0, 400, 40), 520, 560, 600, 1000]) == {520: 3, 1000: 9}


def test_stamps_of_whole_milliseconds_are_even() -> None:
    times = [round(1000 * i / 30) for i in range(60)]
    assert found(times) == {} and found([t for t in times if t != times[30]]) == {times[31]: 1}


@pytest.mark.parametrize(
    "times", [[], [0], [0, 40, 200, 240], [0, 40, 160, 200, 500, 530, 900, 910, 990, 1400, 1500]]
)
def test_no_rhythm_no_hole(times: Sequence[int]) -> None:
    assert found(times) == {}
