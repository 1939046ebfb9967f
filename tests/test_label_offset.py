"""A shift of all labels is told from errors that turn with the object."""

from __future__ import annotations

import numpy as np
import pytest

from train.experiments.label_offset import error_without_shift, shift_of, turns_of
from train.sets.base import Metric, between, pixels


def faces(rng: np.random.Generator, count: int = 400) -> np.ndarray:
    """Five points about (40, 40), each face turned at random; (N, 5, 2)."""
    base = np.array([[-10, -8], [10, -8], [0, 0], [-8, 10], [8, 10]], float)
    angle = rng.uniform(-np.pi, np.pi, count)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return 40 + np.einsum("ijn,kj->nki", turn, base)


def test_a_constant_shift_is_found_and_taken_off() -> None:
    rng = np.random.default_rng(0)
    target = faces(rng)
    noise = rng.normal(0, 0.5, target.shape)
    xy = target + noise + (-0.7, 0.4)
    assert shift_of(xy - target) == pytest.approx([-0.7, 0.4], abs=0.05)
    metric = Metric("error", "px", pixels)
    bare = np.linalg.norm(noise, axis=-1).mean()
    assert error_without_shift(xy, target, metric, 80) == pytest.approx(bare, rel=0.01)


def test_a_shift_that_turns_with_the_face_stays() -> None:
    """Everything 2 px towards the second point of each face: no shift of the coordinates."""
    target = faces(np.random.default_rng(1))
    along = target[:, 1] - target[:, 0]
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    xy = target + 2 * along[:, None]
    metric = Metric("error / eyes", "%", between((0,), (1,)))
    assert np.abs(shift_of(xy - target)).max() < 0.35
    assert error_without_shift(xy, target, metric, 80) == pytest.approx(10.0, abs=0.3)  # 2 of 20


def test_the_shift_of_one_half_is_not_taken_from_itself() -> None:
    """Only every second image is shifted, so taking off the other half's shift makes it worse."""
    target = faces(np.random.default_rng(2))
    xy = target.copy()
    xy[::2] += (3.0, 0.0)
    metric = Metric("error", "px", pixels)
    # the even ones are freed of 0, the odd ones of 3 that they do not have
    assert error_without_shift(xy, target, metric, 80) == pytest.approx(3.0)


def test_what_is_not_labelled_is_left_out() -> None:
    gap = np.full((3, 2, 2), np.nan)
    gap[0, 0] = (1.0, 2.0)
    assert shift_of(gap).tolist() == [1.0, 2.0]


def test_turns() -> None:
    target = np.array([[[0, 0], [1, 0]], [[0, 0], [0, 1]], [[0, 0], [1, -1]]], float)
    assert turns_of(target, (0, 1)).tolist() == pytest.approx([0.0, 90.0, -45.0])
