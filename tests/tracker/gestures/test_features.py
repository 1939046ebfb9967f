from __future__ import annotations

import numpy as np
import pytest

from tests.tracker.gestures.taught import examples
from tracker.gestures.features import (
    Hands,
    features,
    hands_of,
    other_bones,
    other_side,
    palm_axes,
    rotations,
    varied,
)


def one(name: str = "victory") -> tuple[np.ndarray, np.ndarray]:
    """Landmarks (1, 21, 2) and points in space (1, 21, 3) of a right hand."""
    hand = examples(name, 1)[0].hands[0]
    assert hand.xyz is not None
    return hand.xy[None], hand.xyz[None]


def test_place_and_size_do_not_count_and_the_turn_does() -> None:
    xy, xyz = one()
    here, there = (hands_of(3.7 * k * xy + 500 * k, xyz, [False]) for k in (1, 2))
    assert np.allclose(here.xy, there.xy) and np.allclose(features(here), features(there))
    assert here.xy.mean(1) == pytest.approx(0, abs=1e-9)
    assert (here.xy**2).sum(2).mean() == pytest.approx(1)
    down = hands_of(-xy, xyz * (-1, -1, 1), [False])  # turned by 180 degrees in the picture
    same, palm = features(down)[:, :45], features(down)[:, 45:]
    assert np.allclose(same, features(here)[:, :45], atol=1e-5), "distances and bends stay"
    assert np.allclose(palm.reshape(3, 2)[:2], -features(here)[:, 45:].reshape(3, 2)[:2], atol=1e-5)


def test_a_left_hand_is_a_mirrored_right_one() -> None:
    xy, xyz = one()
    right = hands_of(xy, xyz, [False])
    left = hands_of(xy * (-1, 1) + (640, 0), xyz * (-1, 1, 1), [True])
    assert np.allclose(features(left), features(right), atol=1e-5)
    assert not np.allclose(features(hands_of(xy, xyz, [True])), features(right), atol=0.1)


def test_without_depth_the_points_lie_in_the_picture() -> None:
    xy, _ = one()
    hands = hands_of(xy, None, [False])
    assert (hands.xyz[:, :, 2] == 0).all() and (hands.xyz[:, 0] == 0).all()
    assert np.linalg.norm(hands.xyz[0, 9]) == pytest.approx(1), "palm lengths"
    assert np.sign(hands.xyz[0, 12, 1]) == np.sign(xy[0, 0, 1] - xy[0, 12, 1]), "y points up"


def test_features_by_hand() -> None:
    """Straight fingers side by side, fingers up: each bone's length 1 but for the palm's."""
    xyz = np.zeros((1, 21, 3))
    for finger in range(5):
        xyz[0, 1 + 4 * finger : 5 + 4 * finger] = [(finger - 2, y, 0) for y in (1, 2, 3, 4)]
    found = features(Hands(xyz[:, :, :2] * (1, -1), xyz))[0]
    tips = [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2)]  # of the first six distances; 5: wrist
    far = {5: np.hypot(2, 4)}
    assert found[:6] == pytest.approx([far.get(b, b - a) for a, b in tips], rel=1e-5)
    assert found[15:21] == pytest.approx(found[:6], rel=1e-5), "the same in the picture"
    assert found[30:33] == pytest.approx([1 / np.sqrt(5), 1, 1], rel=1e-5), "cosines of the thumb"
    axes = palm_axes(xyz)[0]
    assert axes[:, 0] == pytest.approx([0, 1, 0]), "along the fingers"
    assert axes[:, 1] == pytest.approx([0, 0, 1]), "across (x) times along (y): to the camera"


def test_rotations_and_bones() -> None:
    turned = rotations(*(np.array([a]) for a in (np.pi / 2, 0.0, 0.0)))[0]
    assert turned @ (1, 0, 0) == pytest.approx([0, 1, 0], abs=1e-9), "x to y, counterclockwise"
    _, xyz = one()
    new = other_bones(xyz, np.random.default_rng(0))
    old_way, new_way = (p[0, 7] - p[0, 6] for p in (xyz, new))
    cosine = old_way @ new_way / np.linalg.norm(old_way) / np.linalg.norm(new_way)
    assert cosine == pytest.approx(1) and not np.allclose(old_way, new_way, rtol=1e-3)


def test_variations_are_the_same_gesture_held_otherwise() -> None:
    xy, xyz = one()
    hands = hands_of(np.repeat(xy, 200, 0), np.repeat(xyz, 200, 0), np.zeros(200, bool))
    new = varied(hands, np.random.default_rng(0))
    assert (new.xyz[:, 0] == 0).all() and np.allclose((new.xy**2).sum(2).mean(1), 1)
    turns = np.rad2deg(np.arctan2(*(new.xyz[:, 9, :2] - new.xyz[:, 0, :2]).T))
    assert 20 < turns.std() < 40, "by up to 45 degrees either way"
    assert np.allclose(new.xyz, varied(hands, np.random.default_rng(0)).xyz), "repeatable"


@pytest.mark.parametrize(
    ("xy", "words"),
    [(np.zeros((1, 20, 2)), "hands"), (np.full((1, 21, 2), np.nan), "finite")],
)
def test_no_hand(xy: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        hands_of(xy, np.zeros((1, 21, 3)), [False])


def test_from_the_other_side_left_is_right_and_near_is_far() -> None:
    flat, space = np.arange(42.0).reshape(1, 21, 2) ** 1.5, np.arange(63.0).reshape(1, 21, 3)
    hands = hands_of(flat, space, [False])
    found = other_side(hands)
    assert np.allclose(found.xy, hands.xy * (-1, 1))
    assert np.allclose(found.xyz, turned_about_upright(hands.xyz))
    assert np.allclose(other_side(found).xyz, hands.xyz)


def turned_about_upright(xyz: np.ndarray) -> np.ndarray:
    """Half a turn about y, by its matrix."""
    return xyz @ rotations(*(np.array([a]) for a in (0.0, 0.0, np.pi)))[0].T
