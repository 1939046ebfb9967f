from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tracker.follow.gesture import GestureConfig, GestureFilter

CLASSES = ("none", "fist", "open")
NOTHING, FIST, OPEN = np.eye(3, dtype=np.float32)


def says(p: float) -> np.ndarray:
    """A fist with this probability, else nothing."""
    return np.array([1 - p, p, 0], np.float32)


def test_the_first_frame_decides_alone() -> None:
    assert GestureFilter(CLASSES).update(FIST, 3.0) == ("fist", pytest.approx(1, abs=0.005))


def test_evidence_by_hand() -> None:
    """Geometric means of two frames: sqrt(0.1 x 0.5), sqrt(0.6 x 0.4), sqrt(0.3 x 0.1), over
    their sum 0.8867.
    """
    filt = GestureFilter(CLASSES)
    filt.update(np.array([0.1, 0.6, 0.3], np.float32), 0.0)
    assert filt.update(np.array([0.5, 0.4, 0.1], np.float32), 0.1) == (
        "fist",
        pytest.approx(0.5525, abs=1e-4),
    )
    assert filt.probabilities() == (
        ("none", pytest.approx(0.2522, abs=1e-4)),
        ("fist", pytest.approx(0.5525, abs=1e-4)),
        ("open", pytest.approx(0.1953, abs=1e-4)),
    )


def test_only_the_span_counts_and_the_frame_before() -> None:
    filt = GestureFilter(CLASSES, GestureConfig(span=0.15, stale=0.5))
    filt.update(says(0.9), 0.0)
    assert filt.update(says(0.6), 0.15)[1] == pytest.approx(0.7843, abs=1e-3), (
        "and the frame before"
    )
    assert filt.update(says(0.6), 0.2)[1] == pytest.approx(0.6, abs=2e-3), "0.0 lies 0.2 s back"
    assert filt.update(says(0.9), 0.8)[1] == pytest.approx(0.9, abs=4e-3), "0.2 is stale"


def test_a_flicker_does_not_switch() -> None:
    """A single frame and every third one."""
    for every in (20, 3):
        filt = GestureFilter(CLASSES)
        for i in range(60):
            assert filt.update(OPEN if i % every == 2 else FIST, i / 30)[0] == "fist"


def test_a_wrong_frame_of_a_pose_that_is_not_sure_shows_nothing_else() -> None:
    """0.8, 0.8, 0.02 (open 0.96) ... of 5 frames: the fist keeps 0.75 of the evidence."""
    filt = GestureFilter(CLASSES, operating_points={"fist": 0.75, "open": 0.75})
    sure, wrong = np.array([0.12, 0.8, 0.08]), np.array([0.02, 0.02, 0.96])
    fed = [sure] * 5 + [wrong] + [sure] * 10
    seen = [filt.update(p, i / 30) for i, p in enumerate(fed)]
    assert {name for name, _ in seen} == {"fist"} and min(p for _, p in seen) > 0.6


def test_unlikely_is_none() -> None:
    unsure = np.array([0.3, 0.35, 0.35], np.float32)
    assert GestureFilter(CLASSES).update(unsure, 0.0) == ("none", pytest.approx(0.3))
    filt = GestureFilter(("fist", "open"))  # no class 'none': what the best leaves over
    assert filt.update(np.array([0.3, 0.3], np.float32), 0.0) == ("none", pytest.approx(0.7))


def test_a_gesture_comes_from_the_floor_and_goes_below_where_it_may_stay() -> None:
    for p, name in ((0.49, "none"), (0.51, "fist")):
        assert GestureFilter(CLASSES).update(says(p), 0.0)[0] == name
    filt = GestureFilter(CLASSES, GestureConfig(stale=0.0))
    shown = [filt.update(says(p), float(i))[0] for i, p in enumerate((0.51, 0.41, 0.39, 0.49))]
    assert shown == ["fist", "fist", "none", "none"]


def test_a_repeated_time_adds_evidence_and_reset_forgets_it() -> None:
    filt = GestureFilter(CLASSES)
    filt.update(FIST, 1.0)
    assert filt.update(OPEN, 1.0) == ("fist", pytest.approx(0.5, abs=0.03))
    filt.reset()
    assert filt.probabilities() == ()
    assert filt.update(OPEN, 0.0)[0] == "open"


def test_a_gesture_is_not_shown_on_while_others_take_turns() -> None:
    """Of five frames a has two and 0.44 of the evidence, then one; b and c two each; c three."""
    filt = GestureFilter(("a", "b", "c"))
    a, b, c = np.eye(3, dtype=np.float32)
    shown = [filt.update(p, i / 30)[0] for i, p in enumerate((a, a, b, c, b, c, c, c, c))]
    assert shown == ["a", "a", "a", "a", "a", "none", "c", "c", "c"]


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
    assert first <= 0.15 and p >= points.get("fist", 0.5)
    assert {name for t, name, _ in shown if t < first} <= {"open", "none"}
    assert all(name == "fist" for t, name, _ in shown if t >= first)
    assert shown[-1][2] == pytest.approx(0.95), "in the end the evidence is the pose's alone"


def test_a_short_clear_moment_shows_nothing() -> None:
    """Two of the five frames of 0.15 s are too few."""
    filt = GestureFilter(CLASSES)
    fed = [NOTHING, NOTHING, NOTHING, FIST, FIST, NOTHING, NOTHING, NOTHING]
    assert {filt.update(p, i / 30)[0] for i, p in enumerate(fed)} == {"none"}


def test_nothing_begins_below_its_operating_point_and_what_is_shown_stays() -> None:
    filt = GestureFilter(CLASSES, GestureConfig(stale=0.0), {"fist": 0.8})
    fed = [0.5, 0.79, 0.81, 0.6, 0.41, 0.39, 0.79, 0.81]
    shown = [filt.update(says(p), float(i))[0] for i, p in enumerate(fed)]
    assert shown == ["none", "none", "fist", "fist", "fist", "none", "none", "fist"]
    low = GestureFilter(CLASSES, GestureConfig(stale=0.0), {"fist": 0.2, "open": 0.2})
    few = [np.array([0, p, 1 - p], np.float32) for p in (0.55, 0.3)]
    assert [low.update(p, float(i))[0] for i, p in enumerate(few)] == ["fist", "open"]


@pytest.mark.parametrize(("points", "least"), [({}, 0.5), ({"fist": 0.3}, 0.8)])
def test_a_class_without_an_operating_point_comes_late_where_others_have_one(
    points: dict[str, float], least: float
) -> None:
    for p, shown in ((least - 0.01, "none"), (least + 0.01, "open")):
        filt = GestureFilter(CLASSES, operating_points=points)
        assert filt.update(np.array([(1 - p) / 2, (1 - p) / 2, p], np.float32), 0.0)[0] == shown


def test_a_gesture_is_not_read_from_landmarks_that_lie_badly() -> None:
    """Where operating points are stated; scores of other models say little."""
    filt = GestureFilter(CLASSES, operating_points={"fist": 0.8})
    assert [filt.update(FIST, i / 30, 0.59)[0] for i in range(10)] == ["none"] * 10
    assert "fist" in {filt.update(FIST, 1 + i / 30, 0.61)[0] for i in range(10)}
    assert "none" in {filt.update(FIST, 2 + i / 30, 0.59)[0] for i in range(10)}
    assert GestureFilter(CLASSES).update(FIST, 0.0, 0.1)[0] == "fist"
    other = GestureFilter(("fist", "open"), operating_points={"fist": 0.8})
    assert other.update(np.array([0.9, 0.1], np.float32), 0.0, 0.1)[0] == "none"


def test_noise_about_the_operating_point_does_not_flicker() -> None:
    """A minute of a pose that is as likely as its operating point, with noise of 0.1 a frame."""
    rng, filt = np.random.default_rng(0), GestureFilter(CLASSES, operating_points={"fist": 0.8})
    shown = []
    for i in range(1800):
        p = float(np.clip(rng.normal(0.8, 0.1), 0, 1))
        shown.append(filt.update(says(p), i / 30)[0])
    assert shown[-1] == "fist"
    assert sum(a != b for a, b in pairwise(shown)) <= 1, "it is shown, and stays"
