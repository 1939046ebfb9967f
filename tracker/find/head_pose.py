"""Head pose: the one place where its axes, signs and units are defined.

Axes, camera-like: x to the picture's right, y down, z away from the camera into the scene. A
face at pose (0, 0, 0) looks straight into the camera, so its gaze is the direction (0, 0, -1).
Angles are degrees, and describe the picture as it is seen (a mirrored picture has its own pose):

- yaw > 0: the nose points to the picture's right side;
- pitch > 0: the nose points up;
- roll > 0: the head is tilted clockwise on screen.

R = Rz(roll) Ry(yaw) Rx(pitch) turns face axes into camera axes: the head nods, then turns, then
tilts in the picture plane. With the elementary right-handed rotations by a about each axis, Rz
takes `roll` as it is, Ry takes -yaw and Rx takes -pitch (a right-handed turn about the downward y
axis would bring the nose to the left, about the x axis to the bottom).

Two consequences that code relies on: turning a picture clockwise by a adds a to roll and leaves
yaw and pitch alone; mirroring it left-right negates yaw and roll and keeps pitch.

A pose that comes back from a rotation has yaw in [-90, 90], pitch and roll in [-180, 180].

Where the head is: centimetres in the same camera axes, from the camera to the point between the
eyes, by the average face (`face_xyz`) seen through a lens without distortion whose centre is the
picture's and whose focal length follows from the field of view, or is the picture's width in pixels
where that is not known (53 degrees across). So a head of another size is as far off as it is
larger, in percent; a field of view that is off scales z alone. Yaw, pitch and roll tell how the
face looks to the camera; the matrix's rotation is that in the camera's own axes. They differ by the
direction in which the face is seen: somebody at the picture's edge who looks along the camera's
axis shows a bit of a side.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, partial

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

import assets
from tracker.types import Floats, Pose

# The jaw line's ends, brows, nose, corners of the eyes and of the mouth. Against MediaPipe's
# face transform on 1,810 labelled faces: yaw, pitch, roll off by 0.6, -0.8, 0.1 degrees (median)
# and 2.5, 4.2, 1.2 (robust standard deviation), slopes 1.07, 1.00, 1.00. Without the two jaw ends
# pitch is 5.6 degrees low, scatters by 6.1 and is 20 % too steep: the rest of the face is nearly
# flat. The chin adds nothing and an open mouth moves it.
RIGID = np.array([0, 16, *range(17, 36), 36, 39, 42, 45, 48, 54])
# Focal length in units of the face's size in pixels: 12 faces away, so perspective is below what
# a label can resolve and the frame's size does not matter.
FOCAL = 12.0


@dataclass(frozen=True, slots=True)
class Lens:
    """How a camera sees: focal length and centre in pixels of the picture."""

    focal: float
    centre_xy: tuple[float, float]

    @property
    def camera(self) -> NDArray[np.float64]:
        """(3, 3) camera axes to pixels."""
        (x, y), f = self.centre_xy, self.focal
        return np.array([[f, 0, x], [0, f, y], [0, 0, 1.0]])


def lens(size_wh: tuple[int, int], fov: float | None = None) -> Lens:
    """The lens of a picture; `fov`: degrees across its width. ValueError unless 1 to 179."""
    width, height = size_wh
    if fov is None:
        focal = float(width)
    elif 1 <= fov <= 179:
        focal = width / 2 / float(np.tan(np.deg2rad(fov) / 2))
    else:
        raise ValueError(f"a field of view is 1 to 179 degrees, got {fov}")
    return Lens(focal, ((width - 1) / 2, (height - 1) / 2))


def rotation_from_pose(pose: Pose) -> NDArray[np.float64]:
    """(3, 3) rotation, face axes to camera axes."""
    yaw, pitch, roll = np.deg2rad([-pose.yaw, -pose.pitch, pose.roll])
    cy, sy, cx, sx = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cz, sz = np.cos(roll), np.sin(roll)
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    turn: NDArray[np.float64] = rz @ ry @ rx
    return turn


def pose_from_rotation(rotation: ArrayLike) -> Pose:
    """The pose of a (3, 3) rotation; the inverse of `rotation_from_pose` for |yaw| < 90.

    At |yaw| = 90 roll and pitch turn about the same axis; pitch is 0 there by choice.
    """
    r = np.asarray(rotation, np.float64)
    yaw = np.arcsin(np.clip(r[2, 0], -1, 1))  # r[2, 0] = -sin of the right-handed turn = sin yaw
    if abs(r[2, 0]) > 1 - 1e-9:
        pitch, roll = 0.0, np.arctan2(-r[0, 1], r[1, 1])
    else:
        pitch = -np.arctan2(r[2, 1], r[2, 2])
        roll = np.arctan2(r[1, 0], r[0, 0])
    return Pose(float(np.rad2deg(yaw)), float(np.rad2deg(pitch)), float(np.rad2deg(roll)))


def wrap_degrees(angle: float) -> float:
    """The same direction in (-180, 180]."""
    return -((180.0 - angle) % 360.0 - 180.0)


@cache
def face_xyz() -> NDArray[np.float64]:
    """(68, 3) the average face in centimetres, face axes, origin between the eyes."""
    body = json.loads(assets.path("face68_3d.json").read_text(encoding="utf-8"))
    xyz: NDArray[np.float64] = np.array(body["xyz"], np.float64)
    xyz -= xyz[[36, 45]].mean(0)
    return xyz


def pose_from_landmarks(xy: ArrayLike) -> Pose:
    """Head pose of 68 landmarks (68, 2) in pixels of any picture; NaN rows are left out.

    Perspective from a camera far away, so neither the frame's size nor the face's place matters.
    Raises ValueError when fewer than six rigid points are given, or they lie on one line.
    """
    points = np.asarray(xy, np.float64)
    if points.shape != (68, 2):
        raise ValueError(f"head pose needs (68, 2) landmarks, got {points.shape}")
    flat, solid = _rigid(points)
    if len(flat) < 6:
        raise ValueError(f"head pose needs six rigid face points at least, found {len(flat)}")
    flat = flat - flat.mean(0)
    rotation, scale = _orthographic(flat, solid - solid.mean(0))
    # Unit: one centimetre of the face is one pixel at `distance`, whatever the picture's scale.
    distance = FOCAL * float(np.ptp(solid, axis=0).max())
    camera = np.array([[distance, 0, 0], [0, distance, 0], [0, 0, 1.0]])
    ok, turn, _ = cv2.solvePnP(
        solid - solid.mean(0),
        flat / scale,
        camera,
        np.zeros(4),
        rvec=cv2.Rodrigues(rotation)[0],
        tvec=np.array([[0.0], [0.0], [distance]]),
        useExtrinsicGuess=True,
        flags=cv2.SOLVEPNP_ITERATIVE,
    )
    if not ok or not np.isfinite(turn).all():
        raise ValueError("head pose: the landmarks fit no rotation of a face; check the labels")
    return pose_from_rotation(cv2.Rodrigues(turn)[0])


def with_place(pose: Pose, xy: ArrayLike, seen_by: Lens) -> Pose:
    """The same pose with its matrix, from the face's 68 landmarks (68, 2) in frame pixels.

    As it is where the landmarks do not tell: fewer than six rigid points, or no face in front.
    """
    points = np.array(xy, np.float64)  # a copy: the matrix is computed when it is asked for
    matrix = partial(_matrix_of, pose, points, seen_by)
    return Pose(pose.yaw, pose.pitch, pose.roll, matrix, pose.seen_at)


def _matrix_of(pose: Pose, xy: NDArray[np.float64], seen_by: Lens) -> Floats | None:
    if pose.seen_at is not None:
        return matrix_at(pose, pose.seen_at, seen_by)
    flat, solid = _rigid(xy)
    if len(flat) < 6:
        return pose.matrix
    middle, flat_middle, rotation = solid.mean(0), flat.mean(0), rotation_from_pose(pose)
    centred = solid - middle
    # First guess: as wide on the picture as the turned face is, straight behind its middle.
    turned = centred @ rotation.T
    spread = float(np.linalg.norm(turned[:, :2])) / float(np.linalg.norm(flat - flat_middle))
    guess = np.append((flat_middle - seen_by.centre_xy) * spread, seen_by.focal * spread)
    ray = rotation_to(guess)
    ok, turn, shift = cv2.solvePnP(
        centred,
        flat,
        seen_by.camera,
        np.zeros(4),
        rvec=cv2.Rodrigues(ray @ rotation)[0],
        tvec=guess[:, None].copy(),
        useExtrinsicGuess=True,
        flags=cv2.SOLVEPNP_ITERATIVE,
    )
    if not ok or not np.isfinite(turn).all() or not shift[2, 0] > 0:
        return pose.matrix
    matrix = np.eye(4)
    matrix[:3, :3] = cv2.Rodrigues(turn)[0]
    matrix[:3, 3] = shift[:, 0] - matrix[:3, :3] @ middle
    return matrix.astype(np.float32)


def matrix_at(pose: Pose, seen_at: ArrayLike, seen_by: Lens) -> Floats:
    """(4, 4) of a pose whose place on the picture is known; see `Pose`.

    seen_at (3,): x, y, distance of the eyes' outer corners seen from the front, frame pixels.
    """
    x, y, apart = np.asarray(seen_at, np.float64)
    solid = face_xyz()
    z = seen_by.focal * float(np.linalg.norm(solid[45] - solid[36])) / max(float(apart), 1e-6)
    (cx, cy), f = seen_by.centre_xy, seen_by.focal
    shift = np.array([(x - cx) * z / f, (y - cy) * z / f, z])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_to(shift) @ rotation_from_pose(pose)
    matrix[:3, 3] = shift  # face axes begin between these corners
    return matrix.astype(np.float32)


def rotation_to(direction: ArrayLike) -> NDArray[np.float64]:
    """(3, 3) the shortest turn from straight ahead (0, 0, 1) to a direction (3,)."""
    x, y, z = np.asarray(direction, np.float64) / np.linalg.norm(direction)
    if z < -1 + 1e-9:
        return np.diag([1.0, -1.0, -1.0])
    return np.array(
        [
            [1 - x * x / (1 + z), -x * y / (1 + z), x],
            [-x * y / (1 + z), 1 - y * y / (1 + z), y],
            [-x, -y, z],
        ]
    )


def _rigid(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rigid ones of 68 landmarks (68, 2) that are finite, (N, 2), and of the average face."""
    use = RIGID[np.isfinite(points[RIGID]).all(1)]
    return points[use], face_xyz()[use]


def _orthographic(
    flat: NDArray[np.float64], solid: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Rotation (3, 3) and scale (pixels per unit) of centred points seen from infinitely far."""
    rows = np.linalg.lstsq(solid, flat, rcond=None)[0].T  # (2, 3): x and y axis, times scale
    left, stretch, right = np.linalg.svd(rows, full_matrices=False)
    if stretch[1] <= 1e-9 * stretch[0]:
        raise ValueError("head pose: the landmarks lie on one line; check the labels")
    two = left @ right
    return np.vstack([two, np.cross(two[0], two[1])]), float(stretch.mean())


def axes_xy(pose: Pose, origin_xy: ArrayLike, length: float) -> Floats:
    """Ends (3, 2) of the head's axes, seen from far away, `length` pixels from `origin_xy` (2,).

    Rows: to the person's left (right in the picture at rest), down the face, out of the nose.
    """
    axes = np.diag([1.0, 1.0, -1.0]) @ rotation_from_pose(pose).T
    ends = np.asarray(origin_xy, np.float64) + length * axes[:, :2]
    return ends.astype(np.float32)
