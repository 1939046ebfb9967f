"""Figures of faces, on numbers worked out by hand."""

import numpy as np
import pytest

from tracker.find.expressions import EXPRESSIONS
from train.evaluate import faces


def eyes(height: float) -> np.ndarray:
    """(1, 70, 2): both eyes' lids `height` apart, the inner lips twice as much."""
    xy = np.zeros((1, 70, 2))
    xy[0, [41, 40, 47, 46], 1] = height
    xy[0, [67, 66, 65], 1] = 2 * height
    return xy


def test_openings_are_in_units_of_the_eyes_distance():
    apart = np.array([20.0])
    np.testing.assert_allclose(faces.lids_open(eyes(2), apart), [[0.1, 0.1]])
    np.testing.assert_allclose(faces.lips_open(eyes(2), apart), [0.2])


def test_slope_of_what_is_shown():
    marked = np.array([0.0, 0.1, 0.2, np.nan])
    shown = np.array([0.05, 0.1, 0.15, 0.7])  # half the way
    assert faces.slope(shown, marked) == pytest.approx(0.5)
    assert np.isnan(faces.slope(shown[:2], marked[:2]))
    assert np.isnan(faces.slope(shown[:3], np.full(3, 0.1)))


def test_closed_eyes():
    """Four closed, of which three are shown closed; of 100 open ones one is."""
    marked = np.concatenate([np.full(4, 0.01), np.full(100, 0.1)])
    shown = np.concatenate([[0.01, 0.02, 0.02, 0.05], [0.02], np.linspace(0.06, 0.2, 99)])
    found = faces.closed_eyes(shown, marked)
    assert found["recall"] == 0.75 and found["false"] == 0.01 and found["count"] == 4
    # two of the open ones may be called closed: the limit is the third least of them, above 0.06
    assert found["recall_at_2%"] == 1.0


def test_yaw_by_bins():
    truth = np.array([-3.0, 14, -20, 80, np.nan])
    error = np.array([2.0, -4, 6, 9, np.nan])
    assert faces.by_yaw(error, truth) == {
        "0-15": (3.0, 2), "15-30": (6.0, 1), "75-90": (9.0, 1)
    }  # fmt: skip


def test_profiles_told_from_frontal():
    words = ["frontal", "frontal", "left_profile", "right_profile", "right_profile", "left"]
    found = faces.told_turns(np.array([5.0, -31, -60, 70, -40, 0]), words)
    assert found["frontal"] == 0.5  # the second seems to be turned
    assert found["profiles"] == 1.0
    assert found["exchanged"] == pytest.approx(1 / 3)  # the last profile looks the other way
    assert found["count"] == 5
    assert faces.told_turns(np.zeros(2), ["left", "left"]) == {}


def test_errors_of_expressions():
    guess, truth = np.zeros((2, 52)), np.full((2, 52), np.nan)
    guess[:, 0], truth[:, 0] = 1.0, 0.0  # `_neutral` does not count
    jaw = EXPRESSIONS.index("jawOpen")
    truth[:, jaw], truth[0, EXPRESSIONS.index("cheekPuff")] = (0.5, 0.3), 0.1
    found = faces.expression_errors(guess, truth)
    assert found["jawOpen"] == pytest.approx(0.4)
    assert found["mean"] == pytest.approx((0.5 + 0.3 + 0.1) / 3)
    assert faces.expression_errors(guess, np.full((2, 52), np.nan)) == {}
