from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.train.spread.moving import POINTS, moved, texture, truth
from train.spread.flow import (
    ALIKE,
    DRIFT,
    GONE,
    LABEL,
    MOVED,
    Followed,
    between,
    corrected,
    followed,
    labelled,
)

SEEN = np.full(3, 2, np.uint8)


def at(xy: np.ndarray, sigma: float, side: float = 35.0) -> Followed:
    """Three points that may be off by `sigma` sides."""
    variance = np.full(3, sigma**2, np.float32)
    return Followed(xy.astype(np.float32), variance, np.ones(3, bool), side)


def test_points_go_with_what_moves_and_get_less_sure() -> None:
    now = labelled(POINTS, SEEN)
    unsure = [now.variance.max()]
    for i in range(1, 11):
        now = followed(now, moved(i - 1), moved(i))
        assert np.abs(now.xy - truth(i)).max() < 0.5  # pixels, of 15 that it went
        unsure.append(now.variance.max())
    assert all(a < b for a, b in pairwise(unsure))
    way = sum(np.linalg.norm(truth(i) - truth(i - 1), axis=1) for i in range(1, 11)) / 35
    by_hand = LABEL**2 + 10 * DRIFT**2 + MOVED * way  # and a little for ways back that were off
    assert (now.variance > 0.98 * by_hand).all() and (now.variance < 1.25 * by_hand).all()
    assert abs(now.side - 35) < 1  # it turned and did not grow


def test_confidence_is_the_chance_to_lie_within_a_twentieth_of_the_side() -> None:
    assert at(POINTS, 0.05).confidence == pytest.approx(1 - np.exp(-0.5), abs=1e-6)
    drawn = np.random.default_rng(0).normal(0, 0.03, (200_000, 2))
    share = (np.linalg.norm(drawn, axis=1) < 0.05).mean()
    assert at(POINTS, 0.03).confidence == pytest.approx(share, abs=0.005)


def test_where_flow_finds_no_way_back_a_point_is_lost() -> None:
    now = followed(labelled(POINTS, SEEN), moved(0), texture(7))
    assert (now.confidence < 0.6).any()
    later = followed(followed(now, texture(7), texture(8)), texture(8), texture(9))
    assert later.confidence.max() < 0.5


def test_a_hidden_point_goes_with_the_others_and_is_unsure() -> None:
    now = followed(labelled(POINTS, np.array([2, 2, 1], np.uint8)), moved(0), moved(1))
    assert np.abs(now.xy[2] - truth(1)[2]).max() < 1.0
    assert now.variance[2] == pytest.approx(LABEL**2 + GONE**2, rel=1e-5)
    assert now.variance[2] > 10 * now.variance[:2].max()


def test_a_point_without_a_label_stays_without() -> None:
    now = labelled(POINTS, np.array([2, 0, 2], np.uint8))
    assert np.isnan(now.xy[1]).all() and now.confidence[1] == 0
    now = followed(now, moved(0), moved(1))
    assert np.isnan(now.xy[1]).all() and now.confidence[1] == 0 and now.confidence[0] > 0.9


@pytest.mark.parametrize("v", [[2, 0, 0], [0, 0, 0]])
def test_one_point_cannot_be_followed(v: list[int]) -> None:
    with pytest.raises(ValueError, match="two labelled points"):
        labelled(POINTS, np.array(v, np.uint8))


def test_a_second_opinion_that_agrees_is_averaged_by_variance() -> None:
    other = POINTS + np.array([0.7, 0], np.float32)  # a fiftieth of the side
    found = corrected(at(POINTS, 0.02), other, np.full(3, 0.01, np.float32))
    # gain 0.0004 / (0.0004 + 0.0001) = 0.8; variance 0.2 x 0.0004
    np.testing.assert_allclose(found.xy[:, 0] - POINTS[:, 0], 0.56, atol=1e-3)
    np.testing.assert_allclose(found.variance, 8e-5, rtol=1e-3)


def test_the_same_opinion_again_and_again_makes_no_surer() -> None:
    now, error = at(POINTS, 0.02), np.full(3, 0.02, np.float32)
    for _ in range(50):
        now = corrected(now, POINTS, error)
    np.testing.assert_allclose(now.variance, ALIKE * 0.02**2, rtol=1e-4)
    fresh = at(POINTS, 0.005)  # surer than that already: it stays so
    found = corrected(fresh, POINTS, error)
    np.testing.assert_allclose(found.variance, fresh.variance, rtol=1e-4)


def test_one_that_is_far_away_moves_nothing_and_makes_less_sure() -> None:
    other = POINTS + np.array([17.5, 0], np.float32)  # half a side
    found = corrected(at(POINTS, 0.02), other, np.full(3, 0.02, np.float32))
    np.testing.assert_array_equal(found.xy, POINTS)
    np.testing.assert_allclose(found.variance, 4e-4 + (0.5 / 6) ** 2, rtol=1e-4)
    nothing = corrected(at(POINTS, 0.02), np.full((3, 2), np.nan), np.full(3, np.nan))
    np.testing.assert_allclose(nothing.variance, 4e-4, rtol=1e-6)


def test_two_ways_meet_nearer_to_the_surer_one() -> None:
    a, b = at(POINTS, 0.01), at(POINTS + np.array([0.35, 0], np.float32), 0.02)
    found = between(a, b)
    np.testing.assert_allclose(found.xy[:, 0] - POINTS[:, 0], 0.35 / 5, atol=1e-3)
    assert (found.variance < a.variance).all()
    apart = between(a, at(POINTS + np.array([14, 0], np.float32), 0.02))
    assert (apart.variance > 100 * found.variance).all() and apart.confidence.max() < 0.5
