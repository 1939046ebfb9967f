"""What held-out hands are read as: counts by hand, and the sheet of those read wrongly."""

from pathlib import Path

import cv2
import numpy as np

from docs.studies.gestures.mistaken import ACROSS, LINE, SIDE, Reading, table, write_sheet
from tests.helpers.blobs import write_blobs
from train.data.pictures import read_coco


def reading() -> Reading:
    """Three fists, one read as none and one as point; a point that is read rightly."""
    said = np.array([[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.0, 0.1, 0.9], [0.2, 0.2, 0.6]])
    return Reading(np.arange(4), np.array([1, 1, 1, 2]), said, ("none", "fist", "point"))


def test_counts_of_a_part_alone() -> None:
    every = np.ones(4, bool)
    assert table(reading(), every) == ["| fist | 3 | 1 | 1 none, 1 point |", "| point | 1 | 1 |  |"]
    assert table(reading(), np.array([True, True, False, False])) == ["| fist | 2 | 1 | 1 none |"]


def test_the_sheet_shows_those_read_wrongly(tmp_path: Path) -> None:
    data = read_coco(write_blobs(tmp_path, 4))
    assert write_sheet(data, reading(), tmp_path / "sheet.png") == 2
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None and sheet.shape == (SIDE + LINE, ACROSS * SIDE, 3)
    filled = (sheet[..., 0].reshape(SIDE + LINE, ACROSS, SIDE) < 200).any((0, 2))
    assert filled.tolist() == [True, True] + [False] * (ACROSS - 2)
