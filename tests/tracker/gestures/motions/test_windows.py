"""What motions are told from: the same at any place, size and frame rate, in numbers of order 1."""

from __future__ import annotations

import numpy as np

from tests.tracker.gestures.motions.moved import PALM, moved, open_hand, rest, stroke
from tracker.gestures.motions.windows import (
    BEFORE,
    PINCH,
    POINTS,
    SIZE,
    Path,
    features,
    is_whole,
    path_of,
    windows,
)

PARTS = (rest(1.0), stroke(3, 0, 0.4), rest(0.5))
END, LENGTH = np.array([1.5]), np.array([0.5])


def seen(path: Path) -> np.ndarray:
    return features(windows(path, END, LENGTH), LENGTH)[0]


def test_a_path_is_where_the_palm_is_as_the_person_sees_it() -> None:
    hand = open_hand()
    path = path_of(
        np.array([0.0, 1.0]), np.stack([hand + np.array(at) for at in ((100, 50), (160, 50))])
    )
    assert np.allclose(path.marks[:, 0], (-100, -160)), "a camera that faces one: x turned round"
    assert np.allclose(path.marks[:, 1], 50)
    assert np.allclose(path.marks[:, SIZE], PALM, rtol=0.05)
    pinch = np.linalg.norm(hand[4] - hand[8]) / path.marks[0, SIZE]
    assert np.allclose(path.marks[:, PINCH], pinch)
    plain = path_of(np.array([0.0]), hand[None] + np.array((100, 50)), mirrored=False)
    assert np.isclose(plain.marks[0, 0], 100)


def test_a_window_is_resampled_between_frames() -> None:
    t = np.array([0.0, 0.1, 0.3, 0.4])
    marks = np.zeros((4, 7))
    marks[:, 0] = t * 10
    found = windows(Path(t, marks), np.array([0.4]), np.array([0.2]))[0, :, 0]
    assert len(found) == BEFORE + POINTS
    assert np.allclose(found[BEFORE:], np.linspace(2, 4, POINTS), atol=1e-5)
    assert np.isclose(found[0], 1.0) and np.isclose(found[1], 1.25), "half its length before it"


def test_a_window_must_be_seen_from_its_beginning_without_a_gap() -> None:
    path = Path(np.array([0.0, 0.1, 0.2, 0.3, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4]), np.ones((10, 7)))
    ends = np.array([0.2, 0.3, 0.3, 1.1, 1.4, 1.5])
    lengths = np.array([0.2, 0.2, 0.4, 0.3, 0.3, 0.3])
    assert is_whole(path, ends, lengths).tolist() == [False, True, False, False, True, False]


def test_features_are_those_of_any_place_size_and_frame_rate() -> None:
    hand = moved(PARTS, fps=30)
    first = seen(path_of(hand.t, hand.xy))
    assert np.allclose(seen(path_of(hand.t, hand.xy * 2.5 + 70)), first, atol=1e-3)
    other = moved(PARTS, fps=60, seed=1)
    assert np.abs(seen(path_of(other.t, other.xy)) - first).mean() < 0.05
    assert np.isfinite(first).all() and np.abs(first).max() < 8
    still = np.zeros((1, BEFORE + POINTS, 7), np.float32)
    still[:, :, SIZE] = 1
    assert np.isfinite(features(still, LENGTH)).all()
