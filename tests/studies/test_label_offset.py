"""A shift of all labels is told from errors that turn with the object."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import typer

from docs.studies.label_offset import (
    blurred,
    both_ways,
    classes_of,
    error_without_shift,
    photo_side,
    print_by,
    print_sides,
    shift_of,
    turns_of,
    worst_share,
)
from tests.helpers.blobs import write_blobs
from train.data.pictures import DataSet, read_coco
from train.losses.paper import Batch
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


def banded(side: float, left: float, top: float) -> np.ndarray:
    """A gray square photo on black, 120 px, drawn 20 times as large so that its ends may be cut."""
    large = np.zeros((2400, 2400, 3), np.float32)
    x, y, s = (round(20 * v) for v in (left, top, side))
    large[y : y + s, x : x + s] = 150
    return large.reshape(120, 20, 120, 20, 3).mean((1, 3)).astype(np.uint8)


@pytest.mark.parametrize("side", [60.0, 81.5, 90.25])
def test_the_side_of_a_photo_inside_of_black_bands(side: float) -> None:
    assert photo_side(banded(side, 10.3, 20.6)) == pytest.approx(side, abs=0.1)


def test_a_photo_whose_end_is_outside_has_no_known_side() -> None:
    assert np.isnan(photo_side(banded(100.0, 0.0, 10.0)))
    assert np.isnan(photo_side(np.zeros((120, 120, 3), np.uint8)))


def test_a_shift_in_the_photos_own_pixels_is_one_part_of_every_side(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(3)
    sides = rng.uniform(60, 100, 500)
    sides[::10] = np.nan
    shift = np.array([-0.02, 0.01]) * np.nan_to_num(sides, nan=1000.0)[:, None]
    print_sides(shift[:, None] + rng.normal(0, 0.05, (500, 5, 2)), sides)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [int(r[3]) for r in rows] == [90] * 5
    assert [float(r[6]) for r in rows] == pytest.approx([-2.0] * 5, abs=0.05)
    assert [float(r[7]) for r in rows] == pytest.approx([1.0] * 5, abs=0.05)
    assert float(rows[0][4]) > float(rows[-1][4])  # larger photos, larger shifts in crop pixels


def test_the_error_by_class_and_the_share_of_the_worst(capsys: pytest.CaptureFixture[str]) -> None:
    each = np.concatenate([np.full(150, 1.0), np.full(49, 3.0), [103.0], [np.nan]])
    print_by(each, ["front"] * 149 + [None] + ["side"] * 51, "pose", "%")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["front", "149", "1.00", "%"]
    assert lines[2:] == [["side", "51", "5.00", "%"]]  # (49 * 3 + 103) / 50, one is not known
    assert worst_share(each) == pytest.approx(26.5)  # the worst two of 200: 103 + 3 of 400


def test_an_attribute_that_no_image_has_is_told(tmp_path: Path) -> None:
    data = read_coco(write_blobs(tmp_path, 4))
    told = tuple(replace(e, hold=True, attributes={"pose": "left"}) for e in data.examples)
    images = DataSet(data.markup, (*told[:3], replace(told[3], attributes={})))
    assert classes_of(images, "pose") == ["left", "left", "left", None]
    with pytest.raises(typer.BadParameter, match="no image tells its pos; they tell pose"):
        classes_of(images, "pos")


def batch_of(image: np.ndarray) -> Batch:
    """Gray pictures (N, S, S) without any label."""
    many = len(image)
    return Batch(
        torch.from_numpy(image[:, None].astype(np.float32)), torch.zeros(many, 2, 2),
        torch.zeros(many, 2, dtype=torch.bool), torch.ones(many), {}, torch.zeros(many, 2, 3),
        tuple(range(many)),
    )  # fmt: skip


def test_blurred_crops_are_what_the_network_sees() -> None:
    rng, seen = np.random.default_rng(0), []

    def run(batch: Batch) -> dict[str, np.ndarray]:
        seen.append(batch.image.numpy())
        return {}

    image = rng.normal(100, 20, (3, 16, 16)).astype(np.float32)
    blurred(run, 0.8)(batch_of(image))
    for found, sharp in zip(seen[0][:, 0], image, strict=True):
        assert np.allclose(found, cv2.GaussianBlur(sharp, (0, 0), 0.8))


def test_the_mirror_images_points_come_back_to_their_partners() -> None:
    """A runner that is right but for 2 px to the right: the mean of both views is right."""
    image = np.zeros((1, 16, 16))
    image[0, 5, 3], image[0, 5, 10] = 1, 2

    def run(batch: Batch) -> dict[str, np.ndarray]:
        row = batch.image[0, 0, 5].numpy()
        eyes = sorted([int(np.argmax(row == 1)), int(np.argmax(row == 2))])  # left one first
        return {"xy": np.array([[[x + 2.0, 5.0] for x in eyes]]), "score": np.ones((1, 2))}

    out = both_ways(run, [(0, 1)])(batch_of(image))
    assert out["xy"].tolist() == [[[3, 5], [10, 5]]] and out["score"].tolist() == [[1, 1]]
