"""Errors on whole pixels, by hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.types import CropRule
from train.config import FitSpec
from train.data.augment import crop_example
from train.data.pictures import DataSet, Example, Markup
from train.evaluate.outputs import Outputs
from train.networks import NetSpec
from train.reproduce.errors import errors_of
from train.reproduce.whole_pixels import (
    PhotoEnds,
    photo_ends,
    pixel_of,
    to_photo,
    whole_pixel_errors,
)
from train.sets.base import Metric, PaperSet, between

SPEC = FitSpec("face", CropRule(1.0, (), "box"), NetSpec("rcn", 80, "gray"), (), 1.0)
LEFT, TOP, RIGHT, BOTTOM = np.eye(4, dtype=bool)


def points(*xy):
    return np.array([xy], np.float64)


def one_photo(folder: Path, box, *xy) -> DataSet:
    """A white photo of 40 x 20 pixels with this box and these points."""
    path = folder / "white.png"
    cv2.imwrite(str(path), np.full((20, 40, 3), 255, np.uint8))
    labels, known = np.array(xy, np.float32), np.full(len(xy), True)
    example = Example(
        path, labels, known, np.array(box, np.float32), False, {}, "s", "g", "manual", True, False
    )
    return DataSet(Markup(tuple("abcdefgh"[: len(xy)]), (), ()), (example,))


def test_a_point_belongs_to_the_pixel_it_lies_in():
    assert pixel_of(np.array([0.0, 0.49, 0.5, 1.2, -0.5, -0.6])).tolist() == [0, 0, 1, 1, 0, -1]


def test_errors_are_between_pixels_and_true_points_are_clipped_to_the_crop():
    labelled = np.array([[True, True, True, False]])
    xy = points((3.4, 4.6), (79.0, 10.0), (0.0, 79.0), (0.0, 0.0))  # pixels (3, 5), ...
    true = points((0.2, 0.9), (85.0, 9.9), (-3.0, 79.6), (0.0, 0.0))  # (0, 1), (79, 10), (0, 79)
    errors = whole_pixel_errors(xy, true, labelled, 80)
    assert errors[0, :3].tolist() == [5.0, 0.0, 0.0] and np.isnan(errors[0, 3])


def test_points_in_the_black_and_points_at_the_photos_ends_go_to_its_border():
    nowhere = np.zeros(4, bool)
    labels = np.array([[nowhere, nowhere, nowhere, LEFT, RIGHT, TOP, BOTTOM, LEFT | BOTTOM]])
    ends = PhotoEnds(np.array([[10.0, 5.0, 70.0, 60.0]]), labels)
    pixels = points((4, 30), (75, 62), (70, 60), *[(40, 30)] * 5)
    moved = [[10, 30], [70, 60], [70, 60], [10, 30], [70, 30], [40, 5], [40, 60], [10, 60]]
    assert to_photo(pixels, ends)[0].tolist() == moved
    errors = whole_pixel_errors(pixels, points(*[(40, 30)] * 8), np.full((1, 8), True), 80, ends)
    true = np.array([40, 30])
    assert errors[0] == pytest.approx([float(np.hypot(*(m - true))) for m in np.array(moved)])


def test_where_the_photo_ends_in_its_crop(tmp_path):
    # The box is 40 px wide, from x = -10.5 and y = -10.2 on: the photo, which begins at -0.5 and
    # ends at 39.5 and 19.5, is 20 crop pixels from its left side and 19.4 from its top, goes on to
    # the right, and ends 29.7 px, 59.4 crop pixels, from its top.
    data = one_photo(tmp_path, (-10.5, -10.2, 29.5, 29.8), (20.0, 9.0))
    assert photo_ends(data, [0], SPEC).borders.tolist() == [[20.0, 19.0, 80.0, 59.0]]
    crop = crop_example("face", data.examples[0], data.image(0), 80, (), rule=SPEC.crop)
    white = crop.bgr[:, :, 0] > 127
    assert np.flatnonzero(white.any(0)).tolist() == list(range(20, 80))
    assert np.flatnonzero(white.any(1)).tolist() == list(range(19, 59))
    # a box from -10.6 on: the photo is from 20.2, in y to 60.2
    data = one_photo(tmp_path, (-10.6, -10.6, 29.4, 29.4), (20.0, 9.0))
    assert photo_ends(data, [0], SPEC).borders.tolist() == [[20.0, 20.0, 80.0, 60.0]]
    # a box from -10.3 on: the photo is from 19.6, in y to 59.6
    data = one_photo(tmp_path, (-10.3, -10.3, 29.7, 29.7), (20.0, 9.0))
    assert photo_ends(data, [0], SPEC).borders.tolist() == [[20.0, 20.0, 80.0, 60.0]]


def test_which_labels_lie_at_the_photos_ends(tmp_path):
    # Counted from 1: x or y below 10, or 3 or fewer short of the width 40 or the height 20.
    xy = ((8.9, 12.0), (9.0, 12.0), (20.0, 8.9), (20.0, 15.9), (20.0, 16.0), (37.0, 12.0))
    data = one_photo(tmp_path, (-10.5, -10.5, 29.5, 29.5), *xy)
    (found,) = photo_ends(data, [0], SPEC).labels
    none = np.zeros(4, bool)  # the crop ends before the photo's right end
    assert found.tolist() == [e.tolist() for e in (LEFT, none, TOP, none, BOTTOM, none)]
    data = one_photo(tmp_path, (10.5, -10.5, 50.5, 29.5), *xy)
    (found,) = photo_ends(data, [0], SPEC).labels
    assert found[0].tolist() == none.tolist() and found[5].tolist() == RIGHT.tolist()


def test_the_measure_tells_both(tmp_path):
    data = one_photo(tmp_path, (-10.5, -10.5, 29.5, 29.5), (5.0, 12.0), (25.0, 12.0))
    metric = Metric("error", "%", between((0,), (1,)))
    true, guess = points((31.0, 45.0), (71.0, 45.0)), points((33.4, 45.0), (15.0, 45.0))
    known = np.array([[True, True]])
    out = Outputs(np.array([0]), guess, known * 1.0, known * 1.0, np.ones(1), {}, true, known, {})

    def errors(how):
        found = errors_of(PaperSet("x", data, data, (metric,), {}, how), out, SPEC)["metrics"]
        return {name: m["mean"] for name, m in found.items()}

    plain = {"error": 100 * (2.4 + 56) / 2 / 40}
    assert errors(None) == pytest.approx(plain)
    assert errors("crop") == pytest.approx(plain | {"error, whole pixels": 100 * 58 / 2 / 40})
    # the first label is at the photo's left end, so its point goes there, to 20; the second
    # point lies in the black and goes there, too
    moved = plain | {"error, whole pixels": 100 * (11 + 51) / 2 / 40}
    assert errors("photo") == pytest.approx(moved)
