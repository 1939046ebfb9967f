"""Which head pose counts as straight ahead, for the outputs that steer something.

Data files hold poses as they were seen. What steers (OSC, VMC, opentrack, OpenSeeFace, VTube
Studio) gets them from a centre: that of the moment in which the user asked for it, or one that
follows slowly.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

import numpy as np

from tracker.find.head_pose import pose_from_rotation, rotation_from_pose
from tracker.result import Result, oldest_face
from tracker.types import Floats, Pose


class Centring:
    """Any thread may ask for a new centre; the tracker's thread shows it each frame."""

    def __init__(self) -> None:
        """Straight ahead is as seen: into the camera."""
        self._lock = Lock()
        self._centre: Pose | None = None
        self._wanted = False
        self._follow_s: float | None = None
        self._t: float | None = None

    def recentre(self) -> None:
        """The next pose that is seen is straight ahead."""
        with self._lock:
            self._wanted = True

    def reset(self) -> None:
        """Poses as they are seen."""
        with self._lock:
            self._centre, self._wanted = None, False

    def follow(self, seconds: float | None) -> None:
        """Let the centre drift to where the head is, by 63 % in so many seconds; None: stay."""
        if seconds is not None and not seconds > 0:
            raise ValueError(f"a centre follows within more than 0 seconds, got {seconds}")
        with self._lock:
            self._follow_s = seconds

    def see(self, result: Result) -> None:
        """Take in a frame."""
        pose = oldest_pose(result)
        with self._lock:
            dt = 0.0 if self._t is None else result.t - self._t
            self._t = result.t
            if pose is None:
                return
            if self._wanted or (self._centre is None and self._follow_s is not None):
                self._centre, self._wanted = pose, False
            elif self._follow_s is not None and self._centre is not None:
                self._centre = _nearer(self._centre, pose, 1 - np.exp(-dt / self._follow_s))

    def relative(self, pose: Pose) -> Pose:
        """A pose as seen from the centre: turned by its rotation, moved by its place."""
        with self._lock:
            centre = self._centre
        if centre is None:
            return pose
        turn = rotation_from_pose(centre).T @ rotation_from_pose(pose)
        return replace(pose_from_rotation(turn), matrix=_moved(pose.matrix, centre.matrix, turn))


def oldest_pose(result: Result | None) -> Pose | None:
    """That of `oldest_face`."""
    face = oldest_face(result)
    return None if face is None else face.pose


def _nearer(centre: Pose, pose: Pose, share: float) -> Pose:
    """A pose between two: that share of the way; angles stay small, so one by one."""
    yaw, pitch, roll = (
        float(a + share * ((b - a + 180) % 360 - 180))
        for a, b in zip(
            (centre.yaw, centre.pitch, centre.roll), (pose.yaw, pose.pitch, pose.roll), strict=True
        )
    )
    matrix = pose.matrix
    if matrix is not None and centre.matrix is not None:
        matrix = matrix.copy()
        matrix[:3, 3] = centre.matrix[:3, 3] + share * (matrix[:3, 3] - centre.matrix[:3, 3])
    return Pose(yaw, pitch, roll, matrix)


def _moved(matrix: Floats | None, centre: Floats | None, turn: object) -> Floats | None:
    if matrix is None or centre is None:
        return None
    moved = np.eye(4, dtype=np.float32)
    moved[:3, :3] = np.asarray(turn)
    moved[:3, 3] = matrix[:3, 3] - centre[:3, 3]
    return moved
