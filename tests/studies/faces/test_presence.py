"""The crops on which a face model's presence is looked at, placed by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from docs.studies.faces.presence import ears_of, lost_by, presence_of, squares, whole_in
from tests.helpers.blobs import write_blobs
from tracker.types import CropBox
from train.data.augment import wrong_box
from train.data.pictures import Example, read_coco


def box(x: float, y: float, side: float, angle: float = 0.0) -> CropBox:
    return CropBox(np.array([x, y], np.float32), side, angle)


def test_every_crop_that_lost_its_face_has_one_name() -> None:
    true = box(100, 100, 80)
    assert lost_by(true, box(100, 100, 200)) == "too large"
    assert lost_by(true, box(60, 110, 30)) == "a part of the face"
    assert lost_by(true, box(100, 100, 80, 150)) == "upside down"
    assert lost_by(true, box(145, 100, 90, 20)) == "beside the face"
    rng, xy = np.random.default_rng(0), np.full((68, 2), 90, np.float32)
    names = [lost_by(true, wrong_box(rng, true, xy)) for _ in range(400)]
    each = [names.count(name) for name in sorted(set(names))]
    assert len(each) == 4 and min(each) > 70  # a quarter each


def face(yaw: float) -> Example:
    """Jaw ends 100 px apart, level."""
    xy = np.zeros((68, 2), np.float32)
    xy[1], xy[15] = (50, 100), (150, 100)
    pose = {"pose": [yaw, 0.0, 0.0]}
    return Example(
        Path("x.png"), xy, np.ones(68, bool), None, False, pose, "", "", "exact", True, False
    )


def test_ears_lie_out_from_the_ends_of_the_jaw() -> None:
    found = list(ears_of(face(0.0), box(100, 100, 200)))
    centres = [ear.centre_xy.tolist() for ear in found]
    np.testing.assert_allclose(centres, [(38, 100), (162, 100)], atol=1e-3)
    assert [ear.side for ear in found] == pytest.approx([72, 72])
    # nose to the picture's right: the ear of its left is seen
    (seen,) = ears_of(face(70.0), box(100, 100, 200))
    assert seen.centre_xy[0] == pytest.approx(38)


def test_a_crop_beyond_its_picture_is_left_out() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    assert whole_in(box(50, 50, 100), image)
    assert not whole_in(box(30, 50, 100), image)
    assert not whole_in(box(170, 50, 100), image)


def test_presence_of_more_crops_than_go_at_once() -> None:
    crops = np.random.default_rng(0).uniform(0, 255, (70, 3, 8, 8)).astype(np.float32)
    found = presence_of(lambda b: {"presence": b.image.double().mean((1, 2, 3)).numpy()}, crops)
    np.testing.assert_allclose(found, crops.mean((1, 2, 3), dtype=np.float64), rtol=1e-6)


def test_squares_are_cut_from_the_middle_without_a_rim(tmp_path: Path) -> None:
    """Of each held-out picture without an object the largest, and 0.6 of it."""
    data = read_coco(write_blobs(tmp_path))
    picture = np.full((100, 200, 3), (10, 20, 30), np.uint8)
    picture[20:80, 70:130] = (200, 100, 50)  # BGR; just the smaller square
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), picture)
    first = data.examples[0]
    none = replace(first, path=path, negative=True, hold=True)
    other = replace(none, hold=False)
    large, small = squares(replace(data, examples=(none, other)), 50)
    assert (small == np.array([50, 100, 200])[:, None, None]).all()  # RGB
    assert tuple(large[:, 0, 0]) == (30, 20, 10) and tuple(large[:, 25, 25]) == (50, 100, 200)
