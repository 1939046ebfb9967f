from __future__ import annotations

import numpy as np
import pytest

from docs.studies.labels.spread_gain import LABELS, OWN, Reference, chosen, measured, own_markup
from train.project.labels import ObjectLabel


def test_six_frames_one_in_each_part_of_the_time() -> None:
    found = Reference("a.mp4", {i: np.zeros((21, 2), np.float32) for i in range(0, 120, 2)})
    first = chosen(found, 0)
    assert len(first) == LABELS and first == chosen(found, 0) != chosen(found, 1)
    assert [n // 20 for n in first] == list(range(6)) and all(n % 2 == 0 for n in first)


def test_errors_are_in_sides_of_the_reference() -> None:
    truth = np.array([[0, 0], [40, 0], [0, 20]], np.float32)
    off = truth + np.array([[0, 4], [0, 0], [0, 0]], np.float32)
    sure = np.array([0.9, 0.8, 0], np.float32)
    thing = ObjectLabel(1, off, np.array([2, 1, 0], np.uint8), None, "spread", sure, (3,))
    rows = measured("a.mp4", thing, truth, 5)
    assert rows == [("a.mp4", pytest.approx(0.1), pytest.approx(0.9), 5),
                    ("a.mp4", 0.0, pytest.approx(0.8), 5)]  # fmt: skip


def test_the_own_markup_shares_no_name_with_the_bundled_one() -> None:
    from tracker.find.markups import find_markup

    own = own_markup()
    assert len(own.landmarks) == len(OWN)
    assert not {*own.landmarks} & {*find_markup("hand21").landmarks}
