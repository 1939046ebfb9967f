"""`openseeface://HOST:PORT`: faces as OpenSeeFace sends them, for VSeeFace and others, port 11573.

A datagram is 1,785 bytes a face, without padding, little-endian; see `LAYOUT`. Lost: no datagram,
as OpenSeeFace does, and receivers notice by the time.

Its 66 points are the 68 of iBUG in order, without two at the mouth's corners: ten of the outer lip
(iBUG 49 to 53, 55 to 59), then a corner (48), three of the upper inner lip (61 to 63), the other
corner (54), three of the lower one (65 to 67). So says its own average face, on which ours lies
with 0.024 of an eye-to-eye unit in this order and with 0.076 where the inner corners are left out.
Then come two pupils, which are the irises of a model that gives them, and in space two centres of
the eyeballs, which 68 landmarks do not tell: the middle of the eye stands for what is not known, so
the gaze is straight ahead.

Its raw rotation is found from points (row, column), by a search that ends behind the camera: it is
Q R for our rotation R with Q = [[0, 1, 0], [1, 0, 0], [0, 0, -1]], which its Unity receiver undoes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.find.expressions import by_name
from tracker.find.face_measures import FaceMeasures, Flat, measured
from tracker.find.head_pose import face_xyz, rotation_from_pose, wrap_degrees
from tracker.outputs.output import About
from tracker.outputs.streams.address import Datagrams
from tracker.outputs.streams.vmc import quaternion
from tracker.result import Result
from tracker.types import Floats, Frame, Pose, Track

PORT = 11573
LAYOUT = struct.Struct("<di4fBf4f3f3f68f136f210f14f")
IBUG = (*range(48), *range(49, 54), *range(55, 60), 48, 61, 62, 63, 54, 65, 66, 67)
ORDER = np.array(IBUG)
CORNERS = ((36, 39), (42, 45))  # of the person's right and left eye
Q = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
UNIT = 0.6318  # between the outer corners of the eyes of its average face
MOST = 40  # faces in a datagram


@dataclass(frozen=True, slots=True)
class Features:
    """-1 to 1, 0 at rest, in the order of the packet; l, r: the person's own sides."""

    eye_l: float
    eye_r: float
    brow_steepness_l: float
    brow_updown_l: float
    brow_quirk_l: float
    brow_steepness_r: float
    brow_updown_r: float
    brow_quirk_r: float
    corner_updown_l: float
    corner_inout_l: float
    corner_updown_r: float
    corner_inout_r: float
    mouth_open: float
    mouth_wide: float


class OpenSeeFace:
    """Sends the faces of each frame in one datagram."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where that is no address."""
        self._about, self._out = about, Datagrams(target, PORT)
        self._ids: dict[int, int] = {}  # of the faces, from 0, by track id

    def put(self, frame: Frame, result: Result | None) -> None:
        """Send what is seen."""
        faces = [] if result is None else [
            t for t in result.tracks if t.pose is not None and len(t.xy) == 68
        ][: MOST - 1]  # fmt: skip
        kept = {t.id: self._ids[t.id] for t in faces if t.id in self._ids}
        for track in faces:
            if track.id not in kept:
                kept[track.id] = next(i for i in range(MOST) if i not in kept.values())
        self._ids = kept
        if not faces:
            return
        size_wh = (1, 1) if frame.bgr is None else (frame.bgr.shape[1], frame.bgr.shape[0])
        packets = []
        for track in faces:
            assert track.pose is not None
            centred = self._about.centred(track.pose)
            packets.append(packed(track, centred, frame.t, kept[track.id], size_wh))
        self._out.send(b"".join(packets))

    def close(self, whole: bool) -> None:
        """Send nothing more."""
        self._out.close()


def packed(track: Track, pose: Pose, t: float, number: int, size_wh: tuple[int, int]) -> bytes:
    """The 1,785 bytes of a face; `pose` is what its head is told to be in."""
    flat, seen = measured(track)
    raw = Q @ rotation_from_pose(pose)
    unit = float(np.linalg.norm(face_xyz()[45] - face_xyz()[36])) / UNIT  # cm
    xy = track.xy[ORDER].astype(float)
    known = track.irises
    pupils = (track.xy[[36, 42]] + track.xy[[39, 45]]) / 2 if known is None else known[:, :2]
    score = [*track.score[ORDER].tolist(), *(float(track.score[a]) for a, _ in CORNERS)]
    return LAYOUT.pack(
        t, number, *(float(v) for v in size_wh),
        seen.eye_right, seen.eye_left,
        1, 0.0,
        *quaternion(raw.T).tolist(),
        *euler(pose),
        *translation(pose, unit),
        *score,
        *np.concatenate([xy, pupils]).ravel().tolist(),
        *(points_in_space(flat, unit) * (1, -1, -1)).ravel().tolist(),
        *astuple(features(seen, track.expressions)),
    )  # fmt: skip


def euler(pose: Pose) -> tuple[float, float, float]:
    """The angles about x, y, z of Q R, as OpenCV's RQDecomp3x3 gives them, in one branch."""
    return wrap_degrees(180 - pose.pitch), pose.yaw, 90 - pose.roll


def translation(pose: Pose, unit: float) -> list[float]:
    """Row, column and depth of the tip of the nose, all negative as OpenSeeFace finds them."""
    nose = face_xyz()[30]
    if pose.matrix is None:
        place = np.array([0.0, 0.0, 60.0])
    else:
        place = pose.matrix[:3, :3].astype(float) @ nose + pose.matrix[:3, 3]
    x, y, z = place / unit
    return [-y, -x, -z]


def points_in_space(flat: Flat, unit: float) -> NDArray[np.float64]:
    """(70, 3) in its axes: x to the person's right, y up, z ahead, from the tip of the nose.

    `flat`: landmarks (68, 2) as seen from the front; depths are the average face's.
    """
    solid = np.column_stack([flat, face_xyz()[:, 2]])
    eyes = [solid[list(pair)].mean(0) for pair in CORNERS]
    behind = np.array([0.0, 0.0, 1.2])  # cm, the radius of an eyeball
    whole = np.vstack([solid[ORDER], *eyes, *(eye + behind for eye in eyes)])
    return np.asarray(-(whole - solid[30]) / unit)


def features(seen: FaceMeasures, expressions: Floats | None = None) -> Features:
    """What is measured of its features; the others are 0, at rest.

    Expressions (52,) of a model tell each side by itself.
    """
    if expressions is not None:
        return _told(seen, by_name(expressions))
    return Features(
        eye_l=seen.eye_left - 1,
        eye_r=seen.eye_right - 1,
        brow_steepness_l=0.0,
        brow_updown_l=seen.brow_left,
        brow_quirk_l=0.0,
        brow_steepness_r=0.0,
        brow_updown_r=seen.brow_right,
        brow_quirk_r=0.0,
        corner_updown_l=seen.smile,
        corner_inout_l=seen.mouth_wide,
        corner_updown_r=seen.smile,
        corner_inout_r=seen.mouth_wide,
        mouth_open=seen.mouth_open,
        mouth_wide=seen.mouth_wide,
    )


def _told(seen: FaceMeasures, told: Mapping[str, float]) -> Features:
    def eye(side: str) -> float:
        return told[f"eyeWide{side}"] - told[f"eyeBlink{side}"]

    def up(side: str) -> float:
        return told[f"mouthSmile{side}"] - told[f"mouthFrown{side}"]

    def out(side: str) -> float:
        wide = max(told[f"mouthSmile{side}"], told[f"mouthStretch{side}"])
        return wide - max(told["mouthPucker"], told["mouthFunnel"])

    return Features(
        eye("Left"), eye("Right"), 0.0, seen.brow_left, 0.0, 0.0, seen.brow_right, 0.0,
        up("Left"), out("Left"), up("Right"), out("Right"),
        seen.mouth_open, (out("Left") + out("Right")) / 2,
    )  # fmt: skip
