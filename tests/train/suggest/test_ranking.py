"""The ranking on numbers derived by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.find.geometry import rotation
from tracker.types import CropBox
from train.suggest.ranking import (
    LOOK,
    Candidates,
    WarpSpec,
    alikeness,
    capped,
    choose,
    disagreement,
    look_distance,
    look_of,
    shape_distance,
    warped_boxes,
)

BOX = CropBox(np.array([100, 50], np.float32), 40.0, 10.0)
ONES = np.ones(LOOK * LOOK, np.float32) / LOOK
SHAPE = np.array([[0, 16], [-14, -10], [14, -10]], np.float32)


def frames(
    value: list[float], t: list[float], place: int = 0, shapes: list[np.ndarray] | None = None
) -> Candidates:
    """Candidates of one clip; without shapes and looks unless given."""
    n = len(value)
    nothing = np.full((n, 3, 2), np.nan, np.float32)
    return Candidates(
        np.array(value, np.float32),
        np.full(n, place, np.int64),
        np.array(t, np.float64),
        nothing if shapes is None else np.stack(shapes).astype(np.float32),
        np.full((n, LOOK * LOOK), np.nan, np.float32),
    )


def nobody() -> Candidates:
    """Nothing is labelled yet."""
    return Candidates(
        np.zeros(0, np.float32), np.zeros(0, np.int64), np.zeros(0),
        np.zeros((0, 3, 2), np.float32), np.zeros((0, LOOK * LOOK), np.float32),
    )  # fmt: skip


def test_warps_are_the_same_for_every_box_and_within_their_ranges() -> None:
    spec = WarpSpec(count=200)
    boxes = warped_boxes(BOX, spec)
    turns = np.array([b.angle - BOX.angle for b in boxes])
    scales = np.log([b.side / BOX.side for b in boxes])
    shifts = np.array([b.centre_xy - BOX.centre_xy for b in boxes]) / BOX.side
    for values, most in ((turns, 25), (scales, 0.15), (shifts, 0.08)):
        assert np.abs(values).max() <= most + 1e-5
        assert values.min() < -0.8 * most and values.max() > 0.8 * most
    other = warped_boxes(CropBox(np.zeros(2, np.float32), 80.0, 0.0), spec)
    assert other[3].angle == pytest.approx(turns[3])
    assert other[3].side == pytest.approx(80 * np.exp(scales[3]))


def test_disagreement_is_the_mean_distance_in_percent_of_the_crop() -> None:
    xy = np.array([[100, 50], [105, 50]], np.float32)
    moved = np.stack([np.add(xy, (3, 4)), xy])  # 5 px in one of two warps: 12.5 % of 40 px, halved
    each = disagreement(xy, moved.astype(np.float32), BOX, [BOX, BOX])
    np.testing.assert_allclose(each, [6.25, 6.25])


def test_landmarks_that_leave_a_warped_crop_are_left_out() -> None:
    xy = np.array([[100, 50], [125, 50]], np.float32)  # the second lies outside: 25 px > 20 px
    small, large = CropBox(BOX.centre_xy, 40.0, 0.0), CropBox(BOX.centre_xy, 80.0, 0.0)
    moved = np.stack([np.add(xy, (4, 0)), np.add(xy, (0, 8))]).astype(np.float32)
    each = disagreement(xy, moved, BOX, [small, large])
    np.testing.assert_allclose(each, [15.0, 20.0])  # mean of 10 and 20; the large crop's alone
    assert np.isnan(disagreement(xy, moved[:1], BOX, [small])[1])


def test_shapes_are_compared_without_place_scale_and_turn() -> None:
    turned = (7 + 3 * SHAPE @ rotation(40).T).astype(np.float32)
    bent = SHAPE + np.array([[6, 0], [0, 0], [0, 0]], np.float32)
    line = np.array([[0, 0], [1, 0], [2, 0]], np.float32)
    found = shape_distance(SHAPE[None], np.stack([turned, bent, np.full((3, 2), np.nan), line]))
    assert found[0, 0] == pytest.approx(0, abs=1e-3)
    assert 0.05 < found[0, 1] < found[0, 3] <= 1
    assert np.isnan(found[0, 2])


def test_looks_ignore_brightness_and_contrast() -> None:
    crop = np.random.default_rng(0).integers(0, 100, (64, 64, 3), np.uint8)
    a, b = look_of(crop), look_of((2 * crop + 20).astype(np.uint8))
    assert np.linalg.norm(a) == pytest.approx(1)
    distance = look_distance(a[None], np.stack([b, -a]))
    assert distance[0, 0] < 0.1
    assert distance[0, 1] == pytest.approx(np.sqrt(2))
    assert np.linalg.norm(look_of(np.full((64, 64, 3), 9, np.uint8))) == 0


def test_frames_near_in_time_are_alike_and_those_of_another_clip_are_not() -> None:
    a, b = frames([1], [10.0]), frames([1, 1], [11.0, 30.0])
    near = alikeness(a, b, (1.0, 1.0))
    np.testing.assert_allclose(near, [[np.exp(-0.25), np.exp(-100)]], rtol=1e-6)
    assert alikeness(a, frames([1], [10.0], place=1), (1.0, 1.0))[0, 0] == 0


def test_the_same_pose_is_alike_wherever_it_is() -> None:
    bent = SHAPE + np.array([[12, 0], [0, 0], [0, 0]], np.float32)
    a = frames([1], [0.0], shapes=[SHAPE])
    b = frames([1, 1], [0.0, 0.0], place=1, shapes=[SHAPE + 90, bent])
    alike = alikeness(a, b, (0.05, 1.0))
    assert alike[0, 0] == pytest.approx(1, abs=1e-3)
    assert alike[0, 1] < 0.1


def test_the_least_sure_comes_first_and_its_neighbours_wait() -> None:
    found = choose(frames([1, 5, 4.9, 3], [0, 10, 10.1, 30]), nobody(), 3)
    assert [i for i, _ in found] == [1, 3, 0]
    assert found[0][1] == 1.0


def test_frames_near_labelled_ones_wait() -> None:
    known = frames([0], [10.0])
    found = choose(frames([1, 5, 3], [0, 10, 30]), known, 3)
    assert [i for i, _ in found] == [2, 0, 1]
    assert found[2][1] == pytest.approx(0)


def test_an_outlier_counts_no_more_than_the_quantile() -> None:
    value = [1.0] * 38 + [2.0, 1000.0]  # 95 % quantile: at 37.05, so 1 + 0.05 (2 - 1)
    np.testing.assert_allclose(capped(value), [1.0] * 38 + [1.05, 1.05], rtol=1e-6)
    assert len(capped([])) == 0


def test_choosing_more_than_there_is() -> None:
    assert len(choose(frames([1, 2], [0, 9]), nobody(), 5)) == 2
    assert choose(nobody(), nobody(), 5) == []
