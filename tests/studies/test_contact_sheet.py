"""Counts by hand over a made sequence, and the layout of a sheet."""

from dataclasses import replace

import numpy as np

from docs.studies.contact_sheet import COLUMNS, Counts, sheets, small
from tests.helpers.clips import hand_xy, track
from tracker.result import Result


def test_counts_by_hand() -> None:
    """Two tracks on one hand once; a gesture that changes twice; one lost, and a newcomer."""
    fist, none = track(number=1), replace(track(number=1), gesture="none")
    beside = replace(track(number=2), xy=hand_xy((300, 40)))
    upon = replace(beside, xy=hand_xy((42, 40)))
    other = replace(upon, side="right")
    counts = Counts()
    for shown in ([fist], [none, beside], [fist, upon], [fist, other], [], [beside]):
        counts.add(Result(0.0, tuple(shown)))
    assert (counts.frames, counts.with_hand, counts.with_gesture) == (6, 5, 5)
    assert (counts.begun, counts.lost, counts.changes, counts.doubled) == (2, 2, 2, 1)
    assert counts.row("a.mp4", 30.0) == "| a.mp4 | 30.0 | 6 | 83% | 4.0 | 4.0 | 4.0 | 83% | 1 |"


def test_sheets_are_filled_row_by_row() -> None:
    tiles = [small(np.full((40, 80, 3), i, np.uint8), "") for i in range(COLUMNS + 1)]
    (sheet,) = sheets(tiles)
    h, w = tiles[0].shape[:2]
    assert sheet.shape == (2 * h, COLUMNS * w, 3) and (w, h) == (320, 160)
    assert sheet[h + h // 2, w // 2, 0] == COLUMNS and sheet[h:, w:].max() == 0
