"""A motion of one's own: a Z in the air, shown seven times, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tracker.gestures.motions.moved import Moved, moved, rest, ring, stroke
from tests.tracker.gestures.motions.test_naming import alone, events
from tracker.gestures.motions.learn import MotionCurve, count, learn_motions
from tracker.gestures.naming import motion_names, recogniser_of
from tracker.gestures.own import Gesture, Own, read_own, shown, write_own
from tracker.gestures.teaching import told

TOLD = {"when": "2026-11-29T17:00:00", "from": "clip.mp4"}


def zorro(times: int, size: float = 1.0, seconds: float = 0.3, seed: int = 0) -> Moved:
    """So many Zs, and ways back."""
    rng, parts = np.random.default_rng(seed), [rest(1.0)]
    for _ in range(times):
        s = size * rng.uniform(0.85, 1.15)
        parts += [
            stroke(1.6 * s, 0, seconds), stroke(-1.6 * s, 1.4 * s, seconds),
            stroke(1.6 * s, 0, seconds), rest(0.6), stroke(-1.6 * s, -1.4 * s, 0.7), rest(0.6),
        ]  # fmt: skip
    return moved(parts, seed=seed)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it was taught."""
    path = tmp_path_factory.mktemp("own") / "gestures.json"
    other = moved([rest(1.0), *[stroke(1, 1, 0.5), rest(0.3), stroke(-1, -1, 0.6), rest(0.5)] * 4])
    gesture = Gesture("zorro", is_motion=True)
    own = shown(Own(), gesture, "gesture", zorro(7).samples(), TOLD)
    write_own(path, shown(own, gesture, "anything else", other.samples(), TOLD))
    return path


def test_it_is_told_larger_quicker_and_by_the_other_hand(file: Path) -> None:
    for hand, side in (
        (zorro(2, 1.2, 0.24, seed=5), "left"), (zorro(2, 0.8, 0.4, seed=6), "right"),
    ):  # fmt: skip
        found = [name for _, _, name in events(motion_names(file), alone(hand, side))]
        assert found.count("zorro") == 2, (side, found)


def test_other_motions_are_not_it_and_stay(file: Path) -> None:
    hand = moved([rest(1.2), stroke(-3, 0, 0.35), rest(1.2), ring(1.2, 1.2, 1.0), rest(1.0)])
    found = [name for _, _, name in events(motion_names(file), alone(hand))]
    assert found == ["swipe_left", "circle"]


def test_what_is_said_of_it(file: Path) -> None:
    recogniser = recogniser_of(file)
    assert recogniser is not None and [g.name for g in recogniser.every] == ["zorro"]
    assert recogniser.names == () and read_own(file).gestures[0].is_motion
    lines = told(recogniser, "zorro")
    curve = recogniser.curves["zorro"]
    assert isinstance(curve, MotionCurve) and len(curve.own) == 7
    least = recogniser.thresholds["zorro"]
    assert f"{1 - curve.missed(least):.1%} of its 7 repetitions" in lines[0]
    assert f"{curve.an_hour(least):.0f} times in an hour" in lines[0]
    assert lines[1].startswith("  never missed: 100.0%")


def test_the_slider_moves_what_is_told(file: Path) -> None:
    recogniser = recogniser_of(file)
    assert recogniser is not None
    curve, strict = recogniser.curves["zorro"], replace(recogniser.moved[0], strictness=1.0)
    found = recogniser.as_strict([strict])
    assert found.of_motion is not None and found.thresholds["zorro"] == curve.threshold(1.0)
    assert found.of_motion.spotter.thresholds == {"zorro": curve.threshold(1.0)}
    assert curve.threshold(1.0) > recogniser.thresholds["zorro"]


def test_too_few_repetitions_are_refused() -> None:
    short = zorro(2).samples()
    assert count([short]) == 2
    with pytest.raises(ValueError, match="'zorro' is seen 2 times and 3 are the least"):
        learn_motions([Gesture("zorro", is_motion=True, takes=(short,))])


def test_the_slider_goes_from_never_missed_to_never_by_mistake() -> None:
    own = np.linspace(0.41, 0.9, 50, dtype=np.float32)
    others = np.linspace(0.1, 0.8, 200, dtype=np.float32)  # in half an hour
    curve = MotionCurve(own, others, 0.5)
    points = [curve.threshold(s) for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert points == sorted(points)
    assert curve.missed(points[0]) <= 0.06 and curve.missed(points[2]) <= 0.06
    assert curve.an_hour(points[-1]) <= 2.0
    assert MotionCurve(own, others[:0], 0.5).threshold(0.5) <= 0.5
