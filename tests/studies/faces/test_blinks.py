"""Blinks of a clip: where they peak, and whether they are shown."""

import numpy as np
import pytest

from docs.studies.faces.blinks import LIDS, TILE_WH, Look, peaks, row_of, shown_at, tile_of
from tests.helpers import clips


def test_peaks_stand_above_the_median_and_apart() -> None:
    """10 frames a second; open eyes at 0.1, so a blink reaches 0.3."""
    values = [0.1] * 30
    values[5:8] = 0.2, 0.6, 0.3  # a blink
    values[8] = 0.55  # 0.2 s later: the same one
    values[15] = 0.29  # not far enough
    values[20:22] = 0.5, 0.5  # as high twice: the first
    times = [i / 10 for i in range(30)]
    assert peaks(times, values) == [6, 20]
    assert peaks(times, [0.7] * 30) == []


def test_what_is_shown_near_a_peak() -> None:
    times = [i / 10 for i in range(9)]
    shown = [0.2, 0.2, 0.2, 0.2, 0.2, 0.5, 0.2, 0.9, 0.2]
    assert shown_at(times, shown, 4) == pytest.approx(0.3)  # the other is 0.3 s away
    assert shown_at(times, shown, 1) == pytest.approx(0.0)


def test_a_row_has_the_eyes_with_lids_before_at_and_after() -> None:
    track = clips.track("face")
    track.xy[36:48] = np.random.default_rng(0).uniform((20, 30), (60, 40), (12, 2))
    tile = tile_of(np.zeros((80, 90, 3), np.uint8), track)
    assert tile.shape == (*TILE_WH[::-1], 3)
    assert (tile[..., 1] > tile[..., 0]).any(), "green lids on black"
    looks = [Look(i / 10, 0.1, 0.2, tile) for i in range(3)]
    assert row_of(looks, 0).shape == (TILE_WH[1], 7 * TILE_WH[0], 3)
    assert [len(lids) for lids in LIDS] == [6, 6]
