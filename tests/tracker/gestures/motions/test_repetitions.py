"""Ten seconds in which a motion is shown some times, told apart into its repetitions."""

from __future__ import annotations

import numpy as np

from tests.tracker.gestures.motions.moved import moved, rest, ring, stroke
from tracker.gestures.motions.repetitions import movements, repetitions
from tracker.gestures.motions.windows import path_of


def test_strokes_with_rests_between() -> None:
    hand = moved([rest(1.0), *[stroke(0, 2, 0.5), rest(0.6), stroke(0, -2, 0.5), rest(0.6)] * 2])
    found = movements(path_of(hand.t, hand.xy))
    starts = np.array([start for start, _ in found])
    assert np.allclose(starts, [1.0, 2.1, 3.2, 4.3], atol=0.12)
    assert all(0.3 < end - start < 0.65 for start, end in found)


def test_the_way_back_is_no_repetition() -> None:
    hand = moved([rest(1.0), *[stroke(3, 0, 0.4), rest(0.5), stroke(-3, 0, 0.8), rest(0.6)] * 4])
    found = repetitions(path_of(hand.t, hand.xy))
    assert np.allclose([start for start, _ in found], 1.0 + 2.3 * np.arange(4), atol=0.12)


def test_what_is_only_once_among_them_is_none() -> None:
    one = [ring(1, 1, 1.0), rest(0.7)]
    hand = moved([rest(1.0), *one * 2, stroke(0, 3, 0.4), rest(0.7), *one * 3])
    assert len(movements(path_of(hand.t, hand.xy))) == 6
    assert len(repetitions(path_of(hand.t, hand.xy))) == 5


def test_a_hand_at_rest_repeats_nothing() -> None:
    hand = moved([rest(5.0)])
    assert repetitions(path_of(hand.t, hand.xy)) == ()
    assert repetitions(path_of(hand.t[:2], hand.xy[:2])) == ()
