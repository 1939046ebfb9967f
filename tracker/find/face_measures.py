"""What a face does, measured on its 68 landmarks: eyes, mouth, brows. Pure geometry, no network.

All are distances along the face's own axes, in units of the face, seen from the front: a head that
turns or nods shortens them, so they are first turned back by the head's pose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.find.expressions import by_name
from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.types import Pose, Track

Flat = NDArray[np.float64]

# An eye's height in its width: shut below the first, open above the second. The bundled model's, on
# two people who talk: half of the time 0.28 to 0.35, and 0.19 in the middle of a blink.
SHUT, OPEN = 0.20, 0.29
GAPE = 0.75  # height of the open mouth between the lips, in widths of the mouth at rest
# Person's right eye, left eye: corners, upper lid, lower lid.
EYES = (((36, 39), (37, 38), (41, 40)), ((42, 45), (43, 44), (47, 46)))
BROWS = ((17, 18, 19, 20, 21), (22, 23, 24, 25, 26))


@dataclass(frozen=True, slots=True)
class FaceMeasures:
    """Each from 0 to 1 but for brows and smile: -1 to 1, 0 as the average face has them."""

    eye_right: float  # open; the person's own right
    eye_left: float
    mouth_open: float
    mouth_wide: float  # corners apart, as in a smile
    smile: float  # corners up
    brow_right: float  # up
    brow_left: float


@lru_cache(maxsize=8)
def measured(track: Track) -> tuple[Flat, FaceMeasures]:
    """A tracked face of 68 landmarks from the front, and its measures; once for all outputs.

    A model that gives expressions is believed before the landmarks are measured.
    """
    assert track.pose is not None
    flat = from_the_front(track.xy, track.pose)
    if track.expressions is not None:
        return flat, told_by(by_name(track.expressions))
    return flat, measures(flat)


def told_by(seen: Mapping[str, float]) -> FaceMeasures:
    """Measures by ARKit's coefficients (`tracker/find/expressions.py`)."""

    def both(name: str) -> float:
        return (seen[f"{name}Left"] + seen[f"{name}Right"]) / 2

    up = {side: max(seen["browInnerUp"], seen[f"browOuterUp{side}"]) for side in ("Left", "Right")}
    return FaceMeasures(
        eye_right=1 - seen["eyeBlinkRight"],
        eye_left=1 - seen["eyeBlinkLeft"],
        mouth_open=seen["jawOpen"] * (1 - seen["mouthClose"]),
        mouth_wide=max(both("mouthSmile"), both("mouthStretch")),
        smile=both("mouthSmile") - both("mouthFrown"),
        brow_right=up["Right"] - seen["browDownRight"],
        brow_left=up["Left"] - seen["browDownLeft"],
    )


def measures(flat: Flat) -> FaceMeasures:
    """Measures of 68 landmarks (68, 2) as `from_the_front` gives them."""
    rest = face_xyz()[:, :2]
    eyes = [float(np.clip((_openness(flat, eye) - SHUT) / (OPEN - SHUT), 0, 1)) for eye in EYES]
    width = float(np.linalg.norm(flat[54] - flat[48]))
    rest_width = float(np.linalg.norm(rest[54] - rest[48]))
    gape = float((flat[65:68] - flat[[63, 62, 61]])[:, 1].mean())
    lips = float(flat[[51, 57], 1].mean() - flat[[48, 54], 1].mean())
    rest_lips = float(rest[[51, 57], 1].mean() - rest[[48, 54], 1].mean())
    brows = [
        float(np.clip((_brow(rest, brow, eye) - _brow(flat, brow, eye)) / 0.8, -1, 1))
        for brow, eye in zip(BROWS, EYES, strict=True)
    ]
    return FaceMeasures(
        eye_right=eyes[0],
        eye_left=eyes[1],
        mouth_open=float(np.clip(gape / (GAPE * rest_width), 0, 1)),
        mouth_wide=float(np.clip((width / rest_width - 1) / 0.3, 0, 1)),
        smile=float(np.clip((lips - rest_lips) / 0.6, -1, 1)),
        brow_right=brows[0],
        brow_left=brows[1],
    )


def from_the_front(xy: ArrayLike, pose: Pose) -> Flat:
    """Landmarks (68, 2) in centimetres, x to the person's left, y down, as if seen from the front.

    Each keeps the average face's depth, so that turning the head back leaves the expression.
    """
    points = np.asarray(xy, np.float64)
    turn, solid = rotation_from_pose(pose), face_xyz()
    seen = (solid @ turn.T)[:, :2]
    use = [36, 39, 42, 45, 27, 30, 33]
    a, b = points[use] - points[use].mean(0), seen[use] - seen[use].mean(0)
    scale = float(np.linalg.norm(a)) / max(float(np.linalg.norm(b)), 1e-9)
    flat = (points - points[use].mean(0)) / max(scale, 1e-9) + seen[use].mean(0)
    # flat = M p + depth's share; solve for the two coordinates across the face.
    across = turn[:2, :2]
    if abs(float(np.linalg.det(across))) < 0.1:  # in profile there is nothing to turn back
        return np.asarray(flat)
    front: Flat = np.linalg.solve(across, (flat - solid[:, 2:] * turn[:2, 2]).T).T
    return front


def _openness(flat: Flat, eye: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]) -> float:
    corners, upper, lower = eye
    width = float(np.linalg.norm(flat[corners[1]] - flat[corners[0]]))
    height = float(np.linalg.norm(flat[list(lower)] - flat[list(upper)], axis=1).mean())
    return height / max(width, 1e-9)


def _brow(
    flat: Flat,
    brow: tuple[int, ...],
    eye: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
) -> float:
    """How far a brow lies below its eye's corners, cm; negative as it is above."""
    return float(flat[list(brow), 1].mean() - flat[list(eye[0]), 1].mean())
