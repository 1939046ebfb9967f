"""What motions are told from: the same at any place, size and frame rate, in numbers of order 1."""

from __future__ import annotations

import numpy as np

from tests.tracker.gestures.motions.moved import PALM, moved, open_hand, rest, stroke
from tracker.gestures.motions.windows import (
    BEFORE,
    LENGTHS,
    OPEN,
    PINCH,
    POINTS,
    SIZE,
    STILL,
    Path,
    features,
    is_whole,
    marks_of,
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


def plain_marks(xy: np.ndarray, mirrored: bool) -> np.ndarray:
    """Marks (F, 7) of hands (F, 21, 2), in numpy's own words for a mean and a length."""
    xy = xy * (-1 if mirrored else 1, 1)
    long = np.linalg.norm(xy[:, 9] - xy[:, 0], axis=1)
    wide = np.linalg.norm(xy[:, 17] - xy[:, 5], axis=1)
    size = np.maximum(np.maximum(long, 1.5 * wide), 1e-3)[:, None]
    palm, tips = xy[:, (0, 5, 9, 13, 17)].mean(1), xy[:, (8, 12, 16, 20)]
    pinch = np.linalg.norm(xy[:, 4] - xy[:, 8], axis=1)[:, None]
    far = np.linalg.norm(tips - xy[:, :1], axis=2).mean(1)[:, None]
    return np.hstack([palm, size, (tips.mean(1) - palm) / size, pinch / size, far / size])


def test_marks_of_a_hand_are_those_of_its_path() -> None:
    rng = np.random.default_rng(0)
    xy = (rng.normal(0, 80, (300, 21, 2)) + rng.uniform(0, 900, (300, 1, 2))).astype(np.float32)
    xy[0] = 5.0  # all in one place
    for mirrored in (True, False):
        path = path_of(np.arange(300.0), xy.astype(np.float64), mirrored)
        found = np.stack([marks_of(hand, mirrored) for hand in xy])
        assert np.allclose(found, path.marks, rtol=1e-12, atol=1e-12)
        plain = plain_marks(xy.astype(np.float64), mirrored)
        assert np.allclose(found, plain, rtol=1e-12, atol=1e-12)


def plainly(marks: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """`features`, in numpy's own words for a median, a mean, a length, a difference."""
    size = np.median(marks[:, BEFORE:, SIZE], axis=1)
    middle = marks[:, BEFORE:, :2].mean(1, keepdims=True)
    whole = (marks[:, :, :2] - middle) / size[:, None, None]
    way, tips = whole[:, BEFORE:], marks[:, BEFORE:, 3:5]
    extent = np.sqrt((way**2).sum(2).mean(1))
    steps = np.diff(way, axis=1)
    speed = np.linalg.norm(steps, axis=2)
    length, few = speed.sum(1), slice(BEFORE, None, 2)
    led, net = whole[:, :BEFORE] - way[:, :1], way[:, -1] - way[:, 0]
    a, b = steps[:, :-1], steps[:, 1:]
    cross = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    angle = np.arctan2(cross, (a * b).sum(2)) / (2 * np.pi)
    fast = np.minimum(np.linalg.norm(a, axis=2), np.linalg.norm(b, axis=2))
    weight = np.clip(fast / np.maximum(fast.mean(1, keepdims=True), 0.02), 0, 1)
    rows = [
        way, way / np.maximum(extent, STILL)[:, None, None],
        (tips - tips.mean(1, keepdims=True))[:, ::2], marks[:, few, PINCH], marks[:, few, OPEN],
        np.log(marks[:, few, SIZE] / size[:, None]),
        speed / np.maximum(length, STILL)[:, None] * (POINTS - 1), net, led,
        marks[:, :BEFORE, PINCH], np.log(lengths), np.log(np.maximum(extent, 0.02)),
        np.log(length + 0.05), np.linalg.norm(net, axis=1) / np.maximum(length, STILL),
        np.linalg.norm(np.diff(led, axis=1), axis=2).sum(1),
        (angle * weight).sum(1), (np.abs(angle) * weight).sum(1),
    ]  # fmt: skip
    for along in (way + tips, way):
        for step in np.diff(along, axis=1).transpose(2, 0, 1):
            there = np.abs(step).sum(1)
            rows += [there, np.abs(step.sum(1)) / np.maximum(there, STILL)]
    return np.concatenate([np.reshape(row, (len(marks), -1)) for row in rows], axis=1)


def test_features_are_what_they_say() -> None:
    """Of windows of every length, of a hand that moves and of one that rests."""
    hand = moved((rest(2.7), stroke(3, 1, 0.4), rest(0.4), stroke(-2, 1, 0.9), rest(3.0)))
    path, lengths = path_of(hand.t, hand.xy), np.array(LENGTHS)
    for end in (2.75, 3.3, 4.4, 7.3):
        marks = windows(path, np.full(len(lengths), end), lengths)
        assert np.allclose(features(marks, lengths), plainly(marks, lengths), atol=1e-5)
