"""Bones of hands that were posed by hand: the angles they were given come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.find.hand_bones import (
    BONES,
    FINGERS,
    BoneLengths,
    bend_degrees,
    bent,
    bones_of,
    finger_bends,
    hand_bones,
    palm_axes,
    shows_palm,
    thumb_at_rest,
)
from tracker.types import Side

FLAT = np.zeros((5, 3))
SIDES: list[Side] = ["left", "right"]


def turned(xyz: np.ndarray, about: tuple[float, float, float], degrees: float) -> np.ndarray:
    """Points turned about an axis, right-handed (Rodrigues)."""
    k = np.array(about) / np.linalg.norm(about)
    a = np.deg2rad(degrees)
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    return xyz @ (np.eye(3) + np.sin(a) * cross + (1 - np.cos(a)) * cross @ cross).T


@pytest.mark.parametrize("side", SIDES)
def test_axes_of_a_hand_that_shows_its_palm(side: Side) -> None:
    """Fingers up: x up, y away from the camera; z to the little finger of a right hand, which
    lies on the picture's left, and to the thumb of a left one, on the picture's left as well."""
    axes = palm_axes(bent(side, FLAT), side)
    assert axes is not None
    assert axes[:, 0] == pytest.approx([0, 1, 0]) and axes[:, 1] == pytest.approx([0, 0, -1])
    assert axes[:, 2] == pytest.approx([-1, 0, 0])
    thumb, little = bent(side, FLAT)[[4, 20], 0]
    assert (little < 0 < thumb) if side == "right" else (thumb < 0 < little)


@pytest.mark.parametrize("side", SIDES)
def test_a_flat_hand_is_straight(side: Side) -> None:
    bones = bones_of(bent(side, FLAT), side)
    assert bones is not None
    assert bones.fingers[1:] == pytest.approx(np.broadcast_to(np.eye(3), (4, 3, 3, 3)), abs=1e-6)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("about", [(1, 0, 0), (0, 1, 0), (1, -2, 0.5)])
def test_bends_come_back_however_the_hand_is_turned(
    side: Side, about: tuple[float, float, float]
) -> None:
    bends = np.array([[0, 0, 0], [10, 20, 30], [80, 95, 60], [0, 45, 5], [5, 0, 90]], float)
    bones = bones_of(turned(bent(side, bends), about, 70), side)
    assert bones is not None
    for i in range(1, 5):
        for j in range(3):
            assert bend_degrees(bones.fingers[i, j]) == pytest.approx(bends[i, j], abs=1e-3)
            r = bones.fingers[i, j]
            assert r @ r.T == pytest.approx(np.eye(3), abs=1e-9)
            assert np.linalg.det(r) == pytest.approx(1)


@pytest.mark.parametrize("side", SIDES)
def test_spreading_is_a_turn_about_y(side: Side) -> None:
    """The index finger by 20 degrees towards the thumb; x cross z of the hand is -y."""
    bones = bones_of(bent(side, FLAT, (0, 20, 0, 0, 0)), side)
    assert bones is not None
    along = bones.fingers[1, 0][:, 0]
    to_thumb = -1 if side == "right" else 1  # along z
    assert along == pytest.approx([np.cos(np.pi / 9), 0, to_thumb * np.sin(np.pi / 9)], abs=1e-6)
    assert bend_degrees(bones.fingers[1, 0]) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("side", SIDES)
def test_chained_rotations_point_along_the_bones(side: Side) -> None:
    """Thumb included: the product of the turns takes the hand's x to each bone's direction."""
    rng = np.random.default_rng(3)
    xyz = turned(bent(side, rng.uniform(0, 80, (5, 3)), (50, 15, 0, -10, -20)), (1, 2, 3), 50)
    bones = bones_of(xyz, side)
    assert bones is not None
    for i, first in enumerate((1, 5, 9, 13, 17)):
        axes = bones.wrist
        for j in range(3):
            axes = axes @ bones.fingers[i, j]
            along = xyz[first + j + 1] - xyz[first + j]
            assert axes[:, 0] == pytest.approx(along / np.linalg.norm(along), abs=1e-6)


@pytest.mark.parametrize("side", SIDES)
def test_a_thumb_bends_about_its_own_axis(side: Side) -> None:
    """Its tip is moved across the palm: the bones turn about their hinge, and not beside it."""
    xyz = bent(side, FLAT, (45, 0, 0, 0, 0)).astype(float)
    axes = palm_axes(xyz, side)
    assert axes is not None
    rest = axes @ thumb_at_rest(side)
    for j, bend in ((2, 30), (3, 30 + 40)):
        a = np.deg2rad(bend)
        step = np.cos(a) * rest[:, 0] - np.sin(a) * rest[:, 1]
        xyz[j + 1] = xyz[j] + 0.3 * step
    bones = bones_of(xyz, side)
    assert bones is not None
    assert [bend_degrees(r) for r in bones.fingers[0, 1:]] == pytest.approx([30, 40], abs=0.1)


def test_what_has_no_bones() -> None:
    line = np.zeros((21, 3))
    line[:, 1] = np.arange(21)
    assert bones_of(line, "left") is None and bones_of(np.full((21, 3), np.nan), "left") is None
    with pytest.raises(ValueError, match=r"\(21, 3\)"):
        bones_of(np.zeros((21, 2)), "left")
    assert hand_bones(clips.track("face"), BoneLengths()) is None
    assert hand_bones(clips.track("hand", side=None), BoneLengths()) is None
    assert (len(FINGERS), len(BONES)) == (5, 3)


def learnt(side: Side) -> BoneLengths:
    """Of a hand that was seen flat a moment ago."""
    lengths = BoneLengths()
    for _ in range(100):
        lengths.lifted(200 * bent(side, FLAT)[:, :2] * (1, -1), side)
    return lengths


@pytest.mark.parametrize("shrunk", [1.0, 0.8])
def test_an_open_hand_is_straight_at_first_sight(shrunk: float) -> None:
    """Also one with fingers that are a fifth shorter than usual."""
    xyz = bent("right", FLAT)
    for first in (1, 5, 9, 13, 17):
        xyz[first + 1 : first + 4] = xyz[first] + shrunk * (xyz[first + 1 : first + 4] - xyz[first])
    bones = bones_of(BoneLengths().lifted(200 * xyz[:, :2] * (1, -1), "right"), "right")
    assert bones is not None and bend_degrees(bones.fingers[1:]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("shown", ["palm", "back"])
def test_without_depth_bends_are_found_by_lengths(side: Side, shown: str) -> None:
    """In pixels, y down; the hand held upright, its palm or its back to the camera."""
    bends = np.array([[0, 0, 0], [30, 25, 10], [0, 0, 0], [60, 10, 10], [0, 40, 30]], float)
    xyz = bent(side, bends)
    if shown == "back":
        xyz = turned(xyz, (0, 1, 0), 180)
    xy = 200 * xyz[:, :2] * (1, -1) + (320, 400)
    assert shows_palm(xy * (1, -1), side) == (shown == "palm")
    bones = bones_of(learnt(side).lifted(xy, side), side)
    assert bones is not None
    found = [[bend_degrees(r) for r in finger] for finger in bones.fingers[1:]]
    assert found == pytest.approx(bends[1:], abs=12)


def test_a_fist_without_depth_is_bent_in_every_joint() -> None:
    bends = np.array([[0, 0, 0]] + [[80, 100, 60]] * 4, float)
    xy = 200 * bent("right", bends)[:, :2] * (1, -1)
    bones = bones_of(learnt("right").lifted(xy, "right"), "right")
    assert bones is not None
    for finger in bones.fingers[1:]:
        total = float(bend_degrees(finger).sum())
        assert total == pytest.approx(240, abs=15)


def test_lengths_are_learnt_and_what_was_wrong_is_forgotten() -> None:
    """A finger a tenth longer than usual is believed in time; one wild frame is not."""
    xyz = bent("right", FLAT)
    long = xyz.copy()
    long[6:9] += 0.1 * (long[6] - long[5])
    lengths = BoneLengths()
    for _ in range(100):
        lengths.lifted(200 * long[:, :2] * (1, -1), "right")
    assert lengths.lengths[5] == pytest.approx(1.1 * 0.45, rel=0.03)
    for _ in range(2000):
        lengths.lifted(200 * xyz[:, :2] * (1, -1), "right")
    assert lengths.lengths[5] == pytest.approx(0.45, rel=0.03)
    wild = xyz.copy()
    wild[6:9] += wild[6] - wild[5]
    before = lengths.lengths[5]
    lengths.lifted(200 * wild[:, :2] * (1, -1), "right")
    assert lengths.lengths[5] <= before + 0.1 * (1.25 * 0.45 - before)


def test_depth_of_the_model_goes_first() -> None:
    bends = np.full((5, 3), 40.0)
    track = replace(clips.track("hand", side="right"), xyz=bent("right", bends))
    bones = hand_bones(track, BoneLengths())
    assert bones is not None and bend_degrees(bones.fingers[2, 1]) == pytest.approx(40, abs=1e-3)


@pytest.mark.parametrize("side", SIDES)
def test_bends_of_fingers_as_shares(side: Side) -> None:
    bends = np.array([[80, 0, 0], [90, 90, 0], [30, 30, 30], [0, 0, 0], [100, 100, 60]], float)
    bones = bones_of(bent(side, bends), side)
    assert bones is not None
    assert finger_bends(bones)[1:] == pytest.approx([1, 0.5, 0, 1], abs=1e-6)
    assert finger_bends(bones)[0] < 0.1, "a thumb's first bone swings"
