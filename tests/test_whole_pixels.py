"""Errors on whole pixels, by hand."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.types import CropRule
from train.config import FitSpec
from train.data import DataSet, Example, Markup
from train.evaluate import Outputs
from train.nets import NetSpec
from train.reproduce.measure import measure
from train.reproduce.whole_pixels import (
    photo_borders,
    pixel_of,
    to_photo,
    whole_pixel_errors,
)
from train.sets.base import Metric, PaperSet, between

SPEC = FitSpec("face", CropRule(1.0, (), "box"), NetSpec("rcn", 80, "gray"), (), 1.0)
MARKUP = Markup(("a", "b"), (), ())


def points(*xy):
    return np.array([xy], np.float64)


def test_a_point_belongs_to_the_pixel_it_lies_in():
    assert pixel_of(np.array([0.0, 0.49, 0.5, 1.2, -0.5, -0.6])).tolist() == [0, 0, 1, 1, 0, -1]


def test_errors_are_between_pixels_and_true_points_are_clipped_to_the_crop():
    labelled = np.array([[True, True, False]])
    xy = points((3.4, 4.6), (79.0, 10.0), (0.0, 0.0))  # pixels (3, 5), (79, 10)
    true = points((0.2, 0.9), (85.0, 9.9), (0.0, 0.0))  # pixels (0, 1), (79, 10)
    errors = whole_pixel_errors(xy, true, labelled, 80)
    assert errors[0, :2].tolist() == [5.0, 0.0] and np.isnan(errors[0, 2])


def test_points_in_the_black_go_to_the_photos_border():
    borders = np.array([[10.0, 0.0, 70.0, 80.0]])
    pixels = points((4, 30), (75, 30), (40, 30), (50, 30))
    true = points((20, 30), (60, 30), (5.0, 30), (74.0, 30))  # the last two lie in the black
    assert to_photo(pixels, true, borders)[0].tolist() == [[10, 30], [70, 30], [10, 30], [70, 30]]
    errors = whole_pixel_errors(pixels, true, np.full((1, 4), True), 80, borders)
    assert errors[0].tolist() == [10.0, 10.0, 5.0, 4.0]


def picture(folder: Path, box):
    """A white picture of 40 x 20 pixels with this box."""
    path = folder / "white.png"
    cv2.imwrite(str(path), np.full((20, 40, 3), 255, np.uint8))
    xy = np.array([[2.0, 10.0], [22.0, 10.0]], np.float32)
    shown = np.array(box, np.float32)
    return Example(
        path, xy, np.array([True, True]), shown, False, {}, "s", "g", "manual", True, False
    )


def test_where_the_photo_ends_in_its_crop(tmp_path):
    # A box of 40 px about (9.5, 9.5): the photo, from -0.5 to 39.5 and to 19.5, has 10 px of
    # black to its left and above and beneath it; a crop pixel is half a picture's pixel.
    data = DataSet(MARKUP, (picture(tmp_path, (-10.5, -10.5, 29.5, 29.5)),))
    (ends,) = photo_borders(data, [0], SPEC)
    crop = data.image(0)
    assert crop.shape == (20, 40, 3)
    assert ends.tolist() == [20.0, 20.0, 80.0, 60.0]


def test_the_measure_tells_both(tmp_path):
    data = DataSet(MARKUP, (picture(tmp_path, (-10.5, -10.5, 29.5, 29.5)),))
    metric = Metric("error", "%", between((0,), (1,)))
    true, guess = points((30.0, 40.0), (70.0, 40.0)), points((33.4, 40.0), (10.0, 40.0))
    known = np.array([[True, True]])
    out = Outputs(np.array([0]), guess, known * 1.0, known * 1.0, np.ones(1), {}, true, known, {})

    def errors(how):
        found = measure(PaperSet("x", data, data, (metric,), {}, how), out, SPEC)["metrics"]
        return {name: m["mean"] for name, m in found.items()}

    assert errors("") == pytest.approx({"error": 100 * (3.4 + 60) / 2 / 40})
    crop = {"error": 79.25, "error, whole pixels": 100 * (3 + 60) / 2 / 40}
    assert errors("crop") == pytest.approx(crop)
    photo = {"error": 79.25, "error, whole pixels": 100 * (3 + 50) / 2 / 40}
    assert errors("photo") == pytest.approx(photo)
