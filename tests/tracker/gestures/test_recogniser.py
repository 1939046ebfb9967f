"""Bundled gestures that are left out of the examples are taught as if they were new."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from tests.tracker.gestures.taught import examples, learn_little, pairs, without
from tracker.gestures.own import Gesture, Hand, Sample
from tracker.gestures.recogniser import (
    Curve,
    Recogniser,
    between_hands,
    hands_in,
    learn,
    library,
    pairs_in,
)


@pytest.fixture(scope="module")
def taught() -> Recogniser:
    """From 50 hands each."""
    horns = Gesture("horns", takes=(examples("l_shape", 50),))
    return learn([horns, Gesture("y", takes=(examples("call", 50),))], without("l_shape", "call"))


def told(recogniser: Recogniser, samples: tuple[Sample, ...]) -> np.ndarray:
    return recogniser.told_of_one(hands_in([samples]))


def test_the_bundled_file_is_small_and_whole() -> None:
    known = library()
    assert len(known.hands) == len(known.name) == len(known.source) >= 3000
    assert {"fist", "none", "other", "ok"} <= set(known.names)
    assert np.allclose((known.hands.xy**2).sum(2).mean(1), 1, atol=0.02)


def test_new_gestures_are_told_from_each_other_and_the_bundled(taught: Recogniser) -> None:
    horns, y = taught.thresholds["horns"], taught.thresholds["y"]
    p = told(taught, examples("l_shape", 40, skip=50))
    assert (p[:, 0] >= horns).mean() > 0.8 and (p[:, 1] < y).all()
    p = told(taught, examples("call", 40, skip=50))
    assert (p[:, 1] >= y).mean() > 0.7 and (p[:, 0] >= horns).mean() < 0.05
    for name in ("fist", "open_palm", "victory", "point", "none"):
        p = told(taught, examples(name, 200))
        assert (p >= (horns, y)).mean() < 0.01, name


def test_what_is_shown_as_anything_else_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    learn_little(monkeypatch)
    shape, call = examples("l_shape", 40), examples("call", 40)
    wide = Gesture("mine", takes=(shape + call,))
    narrow = Gesture("mine", takes=(shape,), others=(call[:20],))
    beside = without("l_shape", "call", every=8)
    p = told(learn([narrow], beside), examples("call", 40, skip=50))
    assert p.mean() < told(learn([wide], beside), examples("call", 40, skip=50)).mean() - 0.5


def test_one_that_is_bundled_already_is_named(taught: Recogniser) -> None:
    found = learn([Gesture("mine", takes=(examples("thumb_up", 60),))])
    assert found.like["mine"][0] == "thumb_up" and found.like["mine"][1] > 0.3
    assert "horns" not in taught.like


def test_any_turn() -> None:
    up = examples("thumb_up", 50)
    down = tuple(
        Sample(s.t, (Hand("right", -s.hands[0].xy, s.hands[0].xyz * (-1, -1, 1)),))  # type: ignore[operator]
        for s in examples("thumb_up", 20, skip=50)
    )
    kept, free = (
        learn([Gesture("thumb", any_turn=any_turn, takes=(up,))], without("thumb_up"))
        for any_turn in (False, True)
    )
    assert told(kept, down).mean() < 0.1 and told(free, down).mean() > told(kept, down).mean() + 0.3


def test_both_hands() -> None:
    found = learn([Gesture("pair", "both", takes=(pairs("l_shape", "ok"),))])
    left, right, between = pairs_in([pairs("l_shape", "ok")])
    assert between[0] == pytest.approx([2, 0, 0], abs=0.01), "two hand sizes apart, level, as large"
    least = found.thresholds["pair"]
    p = found.told_of_both(left, right, between)
    assert (p[:, 0] >= least).mean() > 0.9
    assert (found.told_of_both(right, left, between)[:, 0] >= least).mean() < 0.1, "hands swapped"
    apart = between + np.array([6.0, 0.0, 0.0])
    assert (found.told_of_both(left, right, apart)[:, 0] >= least).mean() < 0.2, "elsewhere"


def test_how_hands_lie_by_hand() -> None:
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)] * 5 + [(0, 0)], float)
    size = np.sqrt((square**2).sum(1).mean())
    way = between_hands(np.array([[square, 2 * square + (6, 2)]]))[0]
    mean = np.sqrt(2) * size
    assert way == pytest.approx([6 / mean, 2 / mean, np.log(2)])


def test_the_slider_goes_from_lenient_to_strict() -> None:
    others = np.linspace(0, 0.8, 10_001, dtype=np.float32)
    sure = Curve(np.full(100, 0.97, np.float32), others)
    assert sure.threshold(0.0) == pytest.approx(0.8 * 0.99), "1 % of other hands"
    assert sure.threshold(1.0) == pytest.approx(0.8 * (1 - 2e-4), abs=1e-4)
    assert sure.mistaken(sure.threshold(0.0)) == pytest.approx(0.01, abs=2e-4)
    few = Curve(sure.own, others / 10)
    floors = [few.threshold(strictness) for strictness in (0.0, 0.25, 0.5, 1.0)]
    assert floors == pytest.approx([0.3, 0.4, 0.5, 0.7]), "no less than the floor, which rises"


def test_what_the_person_showed_is_not_given_up_in_the_lower_half() -> None:
    others = np.linspace(0, 0.9, 10_001, dtype=np.float32)
    curve = Curve(np.linspace(0.5, 0.7, 101, dtype=np.float32), others)
    for strictness in (0.0, 0.25, 0.5):
        assert curve.threshold(strictness) == pytest.approx(0.51), "all but 5 % of 0.5 to 0.7"
        assert curve.missed(curve.threshold(strictness)) <= 0.05
    assert curve.threshold(0.75) == pytest.approx(0.5 + 0.2 * 0.525) and curve.threshold(1.0) > 0.69
    assert Curve(others[:100], others).threshold(0.0) == 0.25


def test_too_few_samples_are_said() -> None:
    with pytest.raises(ValueError, match="12 samples show 'horns' and 30 are the least"):
        learn([Gesture("horns", takes=(examples("l_shape", 12),))])
    with pytest.raises(ValueError, match="0 samples show both hands of 'pair'"):
        learn([Gesture("pair", "both", takes=(examples("l_shape", 40),))])


def test_it_is_learnt_in_seconds(taught: Recogniser) -> None:
    """CPU time, so that a busy machine does not count; the promise is ten seconds on two cores."""
    begun = time.process_time()
    learn([Gesture("horns", takes=(examples("l_shape", 90),))])
    assert time.process_time() - begun < 10 * min(2, os.cpu_count() or 1)
