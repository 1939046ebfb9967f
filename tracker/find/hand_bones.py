"""Rotations of a hand's bones from its 21 landmarks.

Axes of a hand, and of each of its bones, on the person's own hand of either side: x from the wrist
towards the middle knuckle (along the bone, towards the fingertip), y out of the back of the hand, z
completes them right-handed: towards the little finger on a right hand whose palm faces the camera
and whose fingers point up, towards the thumb on a left one. A rotation is a (3, 3) matrix from a
bone's axes to those of the bone it hangs on (a finger's first bone: to the hand's); so a flat hand
with its fingers side by side has small turns about y only, and a finger that bends has turns about
z: with the right-handed sense of z, bending towards the palm is negative on either hand, because y
points out of its back.

Space: camera axes of `Track.xyz`, x right, y up, z towards the camera. Where the model gives no
depth, `BoneLengths.lifted` makes it: a bone that looks shorter than it is leans out of the picture,
and a finger leans towards the palm, since it cannot bend the other way. The palm is taken to lie in
the picture's plane then, so a hand that leans looks bent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.types import Floats, Side, Track

Space = NDArray[np.float64]

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")
BONES = ("Proximal", "Intermediate", "Distal")
# The first landmark of each finger's three bones: thumb from its root, the others from the knuckle.
FIRST = {"Thumb": 1, "Index": 5, "Middle": 9, "Ring": 13, "Little": 17}
STIFF = 0.15  # sine of a bend below which the thumb's plane is noise rather than its own
FIRSTS = np.array([FIRST[finger] for finger in FINGERS])
WRIST, INDEX_KNUCKLE, MIDDLE_KNUCKLE, LITTLE_KNUCKLE = 0, 5, 9, 17
EVERY = tuple((a, b) for first in (1, 5, 9, 13, 17) for a, b in zip(
    (0, first, first + 1, first + 2), range(first, first + 4), strict=True))  # fmt: skip
# Lengths of the bones of `EVERY` in palm lengths (wrist to middle knuckle), of an adult's hand:
# what is believed until the track has shown each bone at its full length.
USUAL = (
    0.42, 0.46, 0.36, 0.30,
    1.00, 0.45, 0.26, 0.22,
    1.00, 0.50, 0.30, 0.23,
    0.95, 0.46, 0.29, 0.23,
    0.90, 0.36, 0.21, 0.20,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class HandBones:
    """How a hand is held: rotations as the head of this file says."""

    wrist: Space  # (3, 3) hand axes to camera axes
    fingers: Space  # (5, 3, 3, 3): finger (`FINGERS`), bone (`BONES`), rotation


def bones_of(xyz: ArrayLike, side: Side) -> HandBones | None:
    """The bones of 21 points (21, 3) in space; None where the palm is seen as a line or a dot."""
    points = np.asarray(xyz, np.float64)
    if points.shape != (21, 3):
        raise ValueError(f"the bones of a hand need (21, 3) landmarks, got {points.shape}")
    wrist = palm_axes(points, side)
    if wrist is None:
        return None
    fingers = np.empty((5, 3, 3, 3))
    parents = np.broadcast_to(wrist, (5, 3, 3))
    hinges = parents[:, :, 2].copy()
    # The thumb bends across the palm: about an axis of its own.
    hinges[0] = _thumb_hinge(points, wrist @ thumb_at_rest(side)[:, 2])
    for j in range(3):
        axes = _axes(points[FIRSTS + j + 1] - points[FIRSTS + j], hinges, parents)
        fingers[:, j] = parents.transpose(0, 2, 1) @ axes
        parents, hinges = axes, axes[:, :, 2]
    return HandBones(wrist, fingers)


def palm_axes(xyz: Space, side: Side) -> Space | None:
    """(3, 3) the hand's axes in columns, from its landmarks (21, 3); None where they have none."""
    along = xyz[MIDDLE_KNUCKLE] - xyz[WRIST]
    across = xyz[LITTLE_KNUCKLE] - xyz[INDEX_KNUCKLE]
    back = _cross(across, along) if side == "right" else _cross(along, across)
    size = float(np.linalg.norm(along))
    if not np.isfinite(xyz).all() or np.linalg.norm(back) < 1e-3 * max(size, 1e-9) ** 2:
        return None
    x, y = along / size, back / np.linalg.norm(back)
    return np.stack([x, y, _cross(x, y)], axis=1)


def bend_degrees(rotations: ArrayLike) -> Space:
    """How far bones (..., 3, 3) are bent towards the palm (...), degrees; spreading is no bend."""
    r = np.asarray(rotations, np.float64)
    return np.asarray(np.rad2deg(np.arctan2(-r[..., 1, 0], r[..., 0, 0])))


def finger_bends(bones: HandBones) -> Space:
    """How far each finger is bent in all, (5,) as shares of 180 degrees, 0 to 1.

    A thumb's first bone does not count: it swings rather than bends.
    """
    bends = bend_degrees(bones.fingers)
    bends[0, 0] = 0.0
    shares: Space = np.clip(bends.sum(1) / 180, 0, 1)
    return shares


class BoneLengths:
    """What is known of the bones of one hand: their true lengths in palm lengths.

    A bone is never shorter than it looks, so each rises to what is seen, and falls a little each
    frame, so that what was wrong is forgotten: a palm that leans makes all fingers look long. It
    starts, and ends, at what is short for an adult: then an open hand is straight from the first
    frame on, and a fist a bit less bent than it is.
    """

    RISE, FORGET = 0.1, 0.005  # a frame: of what is missing, of what is above the least
    LEAST, MOST = 0.78, 1.25  # of the usual length; an open hand on film had 0.79 to 1.02

    def __init__(self) -> None:
        """The least."""
        self.lengths = self.LEAST * np.array(USUAL)

    def lifted(self, xy: ArrayLike, side: Side) -> Space:
        """Landmarks (21, 2) in pixels as points (21, 3), palm lengths from the wrist.

        The axes are those of `Track.xyz`. Fingers lean towards the palm.
        """
        flat = np.asarray(xy, np.float64) * (1.0, -1.0)
        scale = palm_scale(flat)
        flat = (flat - flat[WRIST]) / scale
        seen = np.array([np.linalg.norm(flat[b] - flat[a]) for a, b in EVERY])
        usual = np.array(USUAL)
        least = self.LEAST * usual
        self.lengths = least + (self.lengths - least) * (1 - self.FORGET)
        missing = np.minimum(seen, self.MOST * usual) - self.lengths
        self.lengths += self.RISE * np.maximum(missing, 0)
        lean = np.sqrt(np.maximum(self.lengths**2 - seen**2, 0.0))
        towards = 1.0 if shows_palm(flat, side) else -1.0
        xyz = np.zeros((21, 3))
        xyz[:, :2] = flat
        for (a, b), depth in zip(EVERY, lean, strict=True):
            if a == WRIST:
                ahead, sign = flat[b] - flat[a], towards
                continue
            xyz[b, 2] = xyz[a, 2] + sign * depth
            if float((flat[b] - flat[a]) @ ahead) < 0:  # it points back, so the next comes home
                sign = -towards
        return xyz


def palm_scale(flat: Space) -> float:
    """Pixels a palm length, of landmarks (21, 2): by the palm's longest line, leaning or not."""
    length = float(np.linalg.norm(flat[MIDDLE_KNUCKLE] - flat[WRIST]))
    width = float(np.linalg.norm(flat[LITTLE_KNUCKLE] - flat[INDEX_KNUCKLE]))
    return max(length, width / 0.72, 1e-6)


def shows_palm(flat: Space, side: Side) -> bool:
    """Does the hand show its palm? `flat`: landmarks (21, 2), y up."""
    along = flat[MIDDLE_KNUCKLE] - flat[WRIST]
    across = flat[LITTLE_KNUCKLE] - flat[INDEX_KNUCKLE]
    turn = along[0] * across[1] - along[1] * across[0]
    return bool(turn > 0) == (side == "right")


def hand_bones(track: Track, lengths: BoneLengths) -> HandBones | None:
    """The bones of a tracked hand: with the model's depth, else lifted by `lengths`, its memory."""
    if track.kind != "hand" or len(track.xy) != 21 or track.side is None:
        return None
    if track.xyz is not None:
        return _bones_in_space(track)
    return bones_of(lengths.lifted(track.xy, track.side), track.side)


@lru_cache(maxsize=8)
def _bones_in_space(track: Track) -> HandBones | None:
    """Once for all outputs; a track is the same only when it is the same object."""
    assert track.xyz is not None and track.side is not None
    return bones_of(track.xyz, track.side)


def bent(
    side: Side, bends: Sequence[Sequence[float]], spreads: Sequence[float] = (0, 0, 0, 0, 0)
) -> Floats:
    """A hand (21, 3) posed by hand: the other way round, for previews and tests.

    `bends` (5, 3) degrees towards the palm, `spreads` (5,) degrees away from the middle finger
    towards the thumb. The palm faces the camera, fingers up; palm lengths from the wrist.
    """
    out = 1.0 if side == "right" else -1.0  # x of the thumb's side, the palm seen
    xyz = np.zeros((21, 3))
    roots = {"Thumb": (0.33, 0.26), "Index": (0.28, 0.96), "Middle": (0.0, 1.0),
             "Ring": (-0.22, 0.92), "Little": (-0.42, 0.80)}  # fmt: skip
    for i, finger in enumerate(FINGERS):
        first = FIRST[finger]
        xyz[first] = out * roots[finger][0], roots[finger][1], 0.0
        turn = np.deg2rad(spreads[i])
        ahead = np.array([out * np.sin(turn), np.cos(turn), 0.0])
        down = 0.0
        for j in range(3):
            down += np.deg2rad(bends[i][j])
            step = np.cos(down) * ahead + np.sin(down) * np.array([0, 0, 1.0])
            xyz[first + j + 1] = xyz[first + j] + USUAL[4 * i + j + 1] * step
    return xyz.astype(np.float32)


def _axes(along: Space, hinges: Space, parents: Space) -> Space:
    """(N, 3, 3) axes of bones (N, 3): x along them, z as near to their hinges as can be."""
    size = np.sqrt((along * along).sum(1, keepdims=True))
    x = np.where(size < 1e-9, parents[:, :, 0], along / np.maximum(size, 1e-9))
    z = hinges - x * (x * hinges).sum(1, keepdims=True)
    if (np.abs(z).max(1) < 1e-6).any():  # a bone that points along its hinge
        other = parents[:, :, 2] + 1e-3 * parents[:, :, 1]
        alone = np.abs(z).max(1, keepdims=True) < 1e-6
        z = np.where(alone, other - x * (x * other).sum(1, keepdims=True), z)
    z /= np.sqrt((z * z).sum(1, keepdims=True))
    return np.stack([x, _cross(z, x), z], axis=2)


def _cross(a: Space, b: Space) -> Space:
    """As numpy's, of vectors (..., 3), in a third of its time."""
    return np.asarray(a[..., (1, 2, 0)] * b[..., (2, 0, 1)] - a[..., (2, 0, 1)] * b[..., (1, 2, 0)])


@cache
def thumb_at_rest(side: Side) -> Space:
    """(3, 3) axes of a thumb that lies beside a flat hand, half spread, in the hand's axes."""
    out = -1.0 if side == "right" else 1.0  # z of the thumb's side
    along = np.array([1.0, 0.0, out]) / np.sqrt(2)
    across = np.array([0.0, -1.0, -out])  # where its tip goes when it bends: down, to the fingers
    return np.asarray(_axes(along[None], _cross(across, along)[None], np.eye(3)[None])[0])


def _thumb_hinge(xyz: Space, rest: Space) -> Space:
    """The axis (3,) about which the thumb bends: that of its own plane, the more it is bent."""
    first, second = xyz[2] - xyz[1], xyz[4] - xyz[2]
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    own = _cross(second, first) / max(size, 1e-9)  # as long as the sine of the bend
    if float(own @ rest) < 0:  # bent outwards: the same axis, turned the other way
        own = -own
    return np.asarray(own + STIFF * rest)
