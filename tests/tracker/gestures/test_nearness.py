"""The odds of an own gesture fall with the distance to what was shown, computed beside it."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.gestures.nearness import MOST, NEAREST, NearNetwork, near_network

RNG = np.random.default_rng(0)
OTHER = RNG.normal((-2, 0), 0.5, (1500, 2)).astype(np.float32)
OWN = RNG.normal((2, 0), 0.5, (1500, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def made() -> NearNetwork:
    return near_network(np.concatenate([OTHER, OWN]), np.repeat([0, 1], 1500), 1)


def far(made: NearNetwork, hand: np.ndarray) -> float:
    scaled = np.clip((hand - made.network.mean) / made.network.scale, -4, 4)
    apart = np.sort(np.linalg.norm(made.own[0] - scaled, axis=1))[:NEAREST]
    return float(np.sqrt((apart**2).mean()))


def test_odds_fall_by_e_with_each_unit_of_distance(made: NearNetwork) -> None:
    assert made.own[0].shape == (MOST, 2)
    for hand in ((2.0, 0.0), (1.0, 0.6), (3.0, 3.0)):
        row = np.array([hand], np.float32)
        p = float(made.network(row)[0, 1])
        odds = p / (1 - p) * np.exp(float(made.usual[0]) - far(made, row[0]))
        assert made(row)[0, 0] == pytest.approx(odds / (1 + odds), rel=1e-3)


def test_a_stranger_on_the_own_side_is_less_likely(made: NearNetwork) -> None:
    near, strange = np.array([[2.0, 0.0]], np.float32), np.array([[9.0, 5.0]], np.float32)
    assert made(near)[0, 0] > 0.9 and made.network(strange)[0, 1] > 0.9
    assert 1 - made(strange)[0, 0] > 3 * (1 - made.network(strange)[0, 1])


def test_own_rows_are_as_far_as_usual(made: NearNetwork) -> None:
    others = OWN[:400]
    distances = [far(made, hand) for hand in others if far(made, hand) > 0.02]
    assert np.median(distances) == pytest.approx(float(made.usual[0]), rel=0.35)


def test_many_hands_at_once_are_the_same_as_each(made: NearNetwork) -> None:
    many = np.concatenate([OTHER, OWN])
    assert np.allclose(made(many)[::100], [made(row[None])[0] for row in many[::100]], atol=1e-5)
