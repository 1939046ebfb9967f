from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tracker.follow.gesture import GestureConfig, GestureFilter

CLASSES = ("none", "fist", "open")
FIST, OPEN = np.array([0.0, 1.0, 0.0], np.float32), np.array([0.0, 0.0, 1.0], np.float32)
CONFIG = GestureConfig(tau=1.0, lead=0.2, hold=0.5, floor=0.4, clear_for=None)


def test_the_first_frame_decides_alone() -> None:
    assert GestureFilter(CLASSES, CONFIG).update(FIST, 3.0) == ("fist", 1.0)


def test_average_by_hand() -> None:
    """After ln 2 time constants half of the old is left."""
    filt = GestureFilter(CLASSES, CONFIG)
    filt.update(FIST, 0.0)
    name, p = filt.update(OPEN, float(np.log(2)))
    assert (name, p) == ("fist", pytest.approx(0.5))


def test_switches_only_after_leading_for_a_while() -> None:
    filt = GestureFilter(CLASSES, CONFIG)
    filt.update(FIST, 0.0)
    # open leads by 1 - 2 exp(-t): more than 0.2 from t = ln 2.5 = 0.92 s on, and 0.5 s later
    shown = {round(t, 1): filt.update(OPEN, t)[0] for t in np.arange(0.1, 2.0, 0.1)}
    assert next(t for t, name in shown.items() if name == "open") == 1.5
    assert shown[1.4] == "fist"


def test_a_flicker_does_not_switch() -> None:
    filt = GestureFilter(CLASSES)
    filt.update(FIST, 0.0)
    for i in range(1, 60):
        p = OPEN if i % 3 == 0 else FIST
        assert filt.update(p, i / 30)[0] == "fist"


def test_an_interrupted_lead_starts_anew() -> None:
    filt = GestureFilter(CLASSES, GestureConfig(tau=1e-6, lead=0.2, hold=0.5, clear_for=None))
    filt.update(FIST, 0.0)
    for t in (0.1, 0.5):
        assert filt.update(OPEN, t)[0] == "fist"
    filt.update(FIST, 0.55)
    assert filt.update(OPEN, 0.6)[0] == "fist"
    assert filt.update(OPEN, 1.05)[0] == "fist"
    assert filt.update(OPEN, 1.1)[0] == "open"


def test_unlikely_is_none() -> None:
    unsure = np.array([0.3, 0.35, 0.35], np.float32)
    assert GestureFilter(CLASSES, CONFIG).update(unsure, 0.0) == ("none", pytest.approx(0.3))
    filt = GestureFilter(("fist", "open"), CONFIG)  # no class 'none': what the best leaves over
    assert filt.update(np.array([0.3, 0.3], np.float32), 0.0) == ("none", pytest.approx(0.7))


def test_a_gesture_that_fades_becomes_none() -> None:
    filt = GestureFilter(("fist", "open"), GestureConfig(tau=1e-6, hold=0.0))
    filt.update(np.array([0.9, 0.1], np.float32), 0.0)
    assert filt.update(np.array([0.35, 0.34], np.float32), 1.0)[0] == "none"


def test_a_repeated_time_and_reset() -> None:
    filt = GestureFilter(CLASSES, CONFIG)
    filt.update(FIST, 1.0)
    assert filt.update(OPEN, 1.0) == ("fist", 1.0)
    filt.reset()
    assert filt.update(OPEN, 0.0) == ("open", 1.0)


def test_every_class_with_its_averaged_probability() -> None:
    filt = GestureFilter(("fist", "open"), GestureConfig(tau=0.1))
    assert filt.probabilities() == ()
    filt.update(np.array([1.0, 0.0], np.float32), 0.0)
    filt.update(np.array([0.0, 1.0], np.float32), 0.1)
    left = float(np.exp(-1))  # one time constant later
    assert filt.probabilities() == (
        ("fist", pytest.approx(left)),
        ("open", pytest.approx(1 - left)),
    )


def test_a_gesture_is_not_shown_on_while_others_take_turns() -> None:
    # Every 0.05 s another class leads, none for the 0.1 s that it needs; 'a' is gone since 0.05.
    filt = GestureFilter(("a", "b", "c"), GestureConfig(tau=1e-6, hold=0.1))
    a, b, c = np.eye(3, dtype=np.float32)
    shown = [filt.update(p, 0.05 * i)[0] for i, p in enumerate((a, b, c, b, c, c, c))]
    assert shown == ["a", "a", "a", "none", "none", "none", "c"]


def frames(seconds: float, fps: float, start: float) -> list[float]:
    return [start + i / fps for i in range(round(seconds * fps))]


@pytest.mark.parametrize("fps", [10, 15, 24, 25, 30, 50, 60])
@pytest.mark.parametrize("points", [{}, {"fist": 0.9, "open": 0.9}])
def test_a_clear_pose_is_shown_within_150_ms(fps: float, points: dict[str, float]) -> None:
    filt = GestureFilter(CLASSES, operating_points=points)
    for t in frames(1.0, fps, 0.0):
        filt.update(OPEN, t)
    pose = np.array([0.02, 0.95, 0.03], np.float32)
    shown = [(t - 1.0, *filt.update(pose, t)) for t in frames(0.5, fps, 1.0)]
    first, p = next((t, p) for t, name, p in shown if name == "fist")
    assert first <= 0.15 and p == pytest.approx(0.95), "the average is that of the clear frames"
    assert {name for t, name, _ in shown if t < first} == {"open"}


def test_a_short_clear_moment_shows_nothing() -> None:
    """Three frames at 30 fps are 67 ms, too short; of a fourth that is unclear nothing begins."""
    filt = GestureFilter(CLASSES)
    none = np.array([1.0, 0.0, 0.0], np.float32)
    seen = [filt.update(p, i / 30)[0] for i, p in enumerate([none, none, FIST, FIST, FIST, none])]
    assert set(seen) == {"none"}


def test_nothing_begins_below_its_operating_point() -> None:
    """0.8: from 0.85 up for 0.1 s it comes, and it goes when it was below 0.8 for 0.1 s."""
    filt = GestureFilter(CLASSES, GestureConfig(tau=1e-6), {"fist": 0.8})
    below, at, above = 0.79, 0.84, 0.86
    fed = [0.5] + [at] * 6 + [above] * 4 + [at] * 2 + [below] * 3 + [at] + [below] * 4 + [at] * 3
    shown = [filt.update(np.array([1 - p, p, 0], np.float32), i / 30)[0] for i, p in enumerate(fed)]
    assert shown == ["none"] * 10 + ["fist"] * 10 + ["none"] * 4


def test_the_first_frame_needs_the_operating_point_too() -> None:
    for p, name in ((0.79, "none"), (0.81, "fist")):
        filt = GestureFilter(CLASSES, operating_points={"fist": 0.8})
        assert filt.update(np.array([1 - p, p, 0], np.float32), 0.0)[0] == name


def test_a_class_without_an_operating_point_keeps_the_common_rule() -> None:
    filt = GestureFilter(CLASSES, operating_points={"fist": 0.8})
    assert filt.update(np.array([0.2, 0.3, 0.5], np.float32), 0.0)[0] == "open"


def test_noise_about_the_operating_point_does_not_flicker() -> None:
    """A minute of a pose that is as likely as its operating point, with noise of 0.1 a frame."""
    rng, filt = np.random.default_rng(0), GestureFilter(CLASSES, operating_points={"fist": 0.8})
    shown = []
    for i in range(1800):
        p = float(np.clip(rng.normal(0.8, 0.1), 0, 1))
        shown.append(filt.update(np.array([1 - p, p, 0], np.float32), i / 30)[0])
    assert sum(a != b for a, b in pairwise(shown)) <= 60
