"""What a gesture is read from: landmarks of hands, made comparable, and numbers about them.

Hands are compared as a person's right ones (a left one is mirrored), around their middle, and in
their own size: `Hands`. How a hand is turned in the picture stays, so thumb up is not thumb down;
where a gesture may be held at any turn, its examples are turned instead (`varied`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.types import Floats

Values = NDArray[np.float64]
Chosen = NDArray[np.bool_] | NDArray[np.intp]
POINTS = 21
NOISE = 0.015  # of a network's landmarks, in root mean squares of a hand, or in palm lengths
TIPS = (4, 8, 12, 16, 20)
BONES = tuple((a, b) for first in (1, 5, 9, 13, 17) for a, b in zip(
    (0, first, first + 1, first + 2), range(first, first + 4), strict=True))  # fmt: skip
FINGERS = tuple(tuple(range(first, first + 4)) for first in (1, 5, 9, 13, 17))
WRIST, INDEX_KNUCKLE, MIDDLE_KNUCKLE, LITTLE_KNUCKLE = 0, 5, 9, 17


@dataclass(frozen=True, slots=True, eq=False)
class Hands:
    """N hands as right ones. Make them with `hands_of`."""

    xy: Values  # (N, 21, 2) picture axes, x right, y down; middle at 0, in root mean squares
    xyz: Values  # (N, 21, 3) palm lengths from the wrist; x right, y up, z towards the camera

    def __len__(self) -> int:
        """N."""
        return len(self.xy)

    def __getitem__(self, chosen: Chosen | slice) -> Self:
        """Some of them."""
        return type(self)(self.xy[chosen], self.xyz[chosen])

    @classmethod
    def together(cls, parts: Sequence[Hands]) -> Self:
        """All of several, in order."""
        none = np.zeros((0, POINTS, 2)), np.zeros((0, POINTS, 3))
        return cls(
            np.concatenate([none[0], *(part.xy for part in parts)]),
            np.concatenate([none[1], *(part.xyz for part in parts)]),
        )


def hands_of(xy: ArrayLike, xyz: ArrayLike | None, left: ArrayLike) -> Hands:
    """Hands from landmarks (N, 21, 2) in pixels, `Track.xyz` (N, 21, 3), and who is left (N,).

    `xyz` None, where the model gives no depth: all points are taken to lie in the picture plane.
    ValueError: other numbers of points, or places that are not finite.
    """
    flat, is_left = np.array(xy, np.float64), np.asarray(left, bool)
    if flat.ndim != 3 or flat.shape[1:] != (POINTS, 2) or is_left.shape != flat.shape[:1]:
        raise ValueError(f"gestures are read from hands (N, 21, 2), got {flat.shape}")
    flat -= flat.mean(1, keepdims=True)
    flat /= np.maximum(np.sqrt((flat**2).sum(2).mean(1)), 1e-6)[:, None, None]
    space = in_plane(flat) if xyz is None else np.array(xyz, np.float64)
    if space.shape != (len(flat), POINTS, 3):
        raise ValueError(f"gestures are read from points in space (N, 21, 3), got {space.shape}")
    if not (np.isfinite(flat).all() and np.isfinite(space).all()):
        raise ValueError("landmarks of a hand are not finite")
    space -= space[:, :1]
    flat[is_left, :, 0] *= -1
    space[is_left, :, 0] *= -1
    return Hands(flat, space)


def in_plane(xy: Values) -> Values:
    """Points in space (N, 21, 3) of flat ones (N, 21, 2): in palm lengths, y up, without depth."""
    from_wrist = xy - xy[:, :1]
    palm = np.linalg.norm(from_wrist[:, MIDDLE_KNUCKLE], axis=1)
    scaled = from_wrist / np.maximum(palm, 1e-3)[:, None, None]
    return np.dstack([scaled[:, :, 0], -scaled[:, :, 1], np.zeros(scaled.shape[:2])])


def features(hands: Hands) -> Floats:
    """(N, 51): distances in space and in the picture, bends, and how the palm is turned.

    All are of the order of 1. Places of single landmarks are not among them: with them a gesture
    that one person showed was recognised of fewer other people (docs/measured.md).
    """
    size = np.linalg.norm(hands.xyz[:, MIDDLE_KNUCKLE], axis=1)
    space = hands.xyz / np.clip(size, 0.3, None)[:, None, None]
    palm = np.linalg.norm(hands.xy[:, MIDDLE_KNUCKLE] - hands.xy[:, WRIST], axis=1)
    flat = _distances(hands.xy) / np.clip(palm, 0.3, None)[:, None]
    parts = [
        _distances(space),
        np.clip(flat, 0, 5),
        _bends(space),
        palm_axes(hands.xyz)[:, :, :2].reshape(len(hands), 6),
    ]
    return np.concatenate(parts, axis=1).astype(np.float32)


def palm_axes(xyz: Values) -> Values:
    """(N, 3, 3) the axes of right hands in columns: towards the middle knuckle, out of the palm's
    back, and their cross product. A palm that is seen as a line has axes of little meaning.
    """
    along = xyz[:, MIDDLE_KNUCKLE] - xyz[:, WRIST]
    across = xyz[:, LITTLE_KNUCKLE] - xyz[:, INDEX_KNUCKLE]
    x = _unit(along)
    y = _unit(np.cross(across, along))
    return np.stack([x, y, np.cross(x, y)], axis=2)


def _distances(points: Values) -> Values:
    """(N, 15) between fingertips, and from each to the wrist."""
    spots = points[:, (*TIPS, WRIST)]
    i, j = np.triu_indices(len(TIPS) + 1, 1)
    return np.asarray(np.linalg.norm(spots[:, i] - spots[:, j], axis=2))


def _bends(points: Values) -> Values:
    """(N, 15) cosines between bones that follow one another: 1 straight, -1 folded."""
    found = []
    for finger in FINGERS:
        chain = points[:, (WRIST, *finger)]
        bones = _unit(np.diff(chain, axis=1))
        found.append((bones[:, 1:] * bones[:, :-1]).sum(2))
    return np.concatenate(found, axis=1)


def _unit(vectors: Values) -> Values:
    """The same with length 1 along the last axis; nothing stays nothing."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6))


def varied(hands: Hands, rng: np.random.Generator, roll: float = 45.0, tilt: float = 45.0) -> Hands:
    """Each hand as another person might hold it: turned by up to `roll` degrees in the picture
    either way and tilted out of it by up to `tilt`, with other lengths of its bones, and with the
    noise of a network. What a tilt changes in the picture is taken from the points in space.
    """
    n = len(hands)
    leant = rotations(*(np.deg2rad(rng.uniform(-a, a, n)) for a in (roll, tilt, tilt)))
    space = other_bones(hands.xyz, rng)
    new = space @ leant.transpose(0, 2, 1)
    palm = _flat_palm(hands)
    moved = (new - hands.xyz)[:, :, :2] * palm[:, None, None] * (1, -1)
    flat = hands.xy + moved + rng.normal(0, NOISE, hands.xy.shape)
    new = new + rng.normal(0, NOISE, new.shape)
    return hands_of(flat, new, np.zeros(n, bool))


def turned(hands: Hands, angles: Values) -> Hands:
    """Each hand turned in the picture by its angle (N,), radians, counterclockwise on screen."""
    nil = np.zeros_like(angles)
    turn = rotations(angles, nil, nil).transpose(0, 2, 1)
    y_up = hands.xy * (1, -1)
    return Hands((y_up @ turn[:, :2, :2]) * (1, -1), hands.xyz @ turn)


def other_side(hands: Hands) -> Hands:
    """Each hand from behind: half a turn about the picture's upright."""
    return Hands(hands.xy * (-1, 1), hands.xyz * (-1, 1, -1))


def _flat_palm(hands: Hands) -> Values:
    """(N,) units of `xy` in a palm length, by least squares over the landmarks."""
    space = hands.xyz[:, :, :2] * (1, -1)
    space = space - space.mean(1, keepdims=True)
    scale = (space * hands.xy).sum((1, 2)) / np.maximum((space**2).sum((1, 2)), 1e-6)
    return np.asarray(np.clip(scale, 0.3, 3.0))


def rotations(roll: Values, pitch: Values, yaw: Values) -> Values:
    """(N, 3, 3) about z (in the picture), then x, then y, radians."""
    one, nil = np.ones_like(roll), np.zeros_like(roll)
    c, s = np.cos, np.sin
    z = np.array([[c(roll), -s(roll), nil], [s(roll), c(roll), nil], [nil, nil, one]])
    x = np.array([[one, nil, nil], [nil, c(pitch), -s(pitch)], [nil, s(pitch), c(pitch)]])
    y = np.array([[c(yaw), nil, s(yaw)], [nil, one, nil], [-s(yaw), nil, c(yaw)]])
    return np.asarray(np.einsum("ijn,jkn,kln->nil", y, x, z))


def other_bones(xyz: Values, rng: np.random.Generator, spread: float = 0.08) -> Values:
    """The same hands with bones longer or shorter: a finger as a whole, and each bone of it."""
    new = xyz.copy()
    finger = rng.normal(1, spread, (len(xyz), 5))
    for k, (a, b) in enumerate(BONES):
        ratio = finger[:, k // 4] * rng.normal(1, spread / 2, len(xyz))
        new[:, b] = new[:, a] + (xyz[:, b] - xyz[:, a]) * ratio[:, None]
    return np.asarray(new)
