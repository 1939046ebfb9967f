"""Hands in the crops that a detector gives: which find is the labelled hand, and errors by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from docs.studies.shipped.found_boxes import Marked, errors, first_crop, line
from tests.helpers.clips import hand_xy
from tracker.find.geometry import bounds_xyxy
from tracker.types import CropBox, Detection, Floats, Image, Located

SQUARE = np.zeros((192, 192, 3), np.uint8)
BOX = CropBox(np.array([96, 96], np.float32), 100.0, 0.0)


class PalmsAt:
    """Finds the same in each picture, and nothing in the first `blind` ones."""

    name = "palms"

    def __init__(self, boxes: list[Floats], blind: int = 0) -> None:
        self.boxes, self.blind, self.asked = boxes, blind, 0

    def detect(self, frame_bgr: Image) -> list[Detection]:
        self.asked += 1
        boxes = self.boxes if self.asked > self.blind else []
        return [Detection("hand", box, 0.9, np.zeros((7, 2), np.float32)) for box in boxes]

    def first_crop(self, found: Detection) -> CropBox:
        return replace(BOX, side=float(found.box_xyxy[2] - found.box_xyxy[0]))


def test_the_labelled_hand_is_taken_not_another() -> None:
    xy = hand_xy((96, 100), 30)
    box = bounds_xyxy(xy)
    half = np.array([box[0], box[1], box[2], (box[1] + box[3]) / 2], np.float32)
    elsewhere = np.array([0, 0, 20, 20], np.float32)
    found = first_crop(SQUARE, xy, PalmsAt([elsewhere, half]))
    assert found is not None and found[0] == 0
    assert found[1].side == pytest.approx(float(box[2] - box[0]))
    assert first_crop(SQUARE, xy, PalmsAt([elsewhere])) is None


def test_other_views_are_asked_until_one_shows_it() -> None:
    finder = PalmsAt([np.array([0, 0, 191, 191], np.float32)], blind=1)
    found = first_crop(SQUARE, hand_xy((96, 100), 30), finder)
    assert found is not None and found[0] == 1 and finder.asked == 2


def test_errors_of_the_four_rows_are_shares_of_the_longer_side() -> None:
    xy = np.zeros((21, 2), np.float32)
    xy[1], xy[2] = (0, 50), (20, 0)  # the longer side is 50
    labelled = np.arange(21) < 20
    seen = []
    for off in (5.0, 2.0, 40.0, 40.0, 1.0, 40.0, 3.0):
        there = xy + np.array([off, 0], np.float32)
        there[20] += 1000  # not labelled
        seen.append(Located("hand", BOX, there, np.ones(21, np.float32), 1.0, {}))
    marked = Marked(0, tuple(seen[:5]), tuple(seen[5:]))
    assert errors(marked, xy, labelled) == pytest.approx([10.0, 4.0, 2.0, 6.0])


def test_a_row_tells_how_much_worse_the_mean_is() -> None:
    told = line("x", np.array([2.0, 4.0, 15.0]), np.array([2.0, 3.0, 10.0]))
    assert told == "| x | 7.00 | 4.00 | 33.3% | +40.0% |"
