"""`vmc://HOST:PORT`: the VMC protocol, which moves the bones of avatars, port 39539.

Each frame: `/VMC/Ext/OK` (loaded 1, calibrated 3, mode 0, tracking 1, or 0 when nobody is seen),
`/VMC/Ext/T`, `/VMC/Ext/Root/Pos`, the bones Neck and Head (half of the head's turn each), fifteen
finger bones a hand, the blend shapes Blink_L, Blink_R and A (of VRM 0) and each expression of the
face model by its own name (ARKit's also as VRM 0's other clips), `/VMC/Ext/Blend/Apply`.
Rotations are local, from the avatar's T pose; positions are 0. What is lost returns to that pose,
with its blend shapes at 0. Each message is a part of a bundle that fits into 1,400 bytes.

Axes of Unity: x to the avatar's right, y up, z ahead, left-handed. Camera axes are all three the
other way round, so a head's matrix is the same in both. An avatar's hand in the T pose points
sideways, palm down: a right hand's axes (`tracker.find.hand_bones`) are there (x, y, -z), a left
one's (-x, y, z).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tracker.find.face_measures import measured
from tracker.find.hand_bones import (
    BONES,
    FINGERS,
    BoneLengths,
    HandBones,
    hand_bones,
    thumb_at_rest,
)
from tracker.find.head_pose import rotation_from_pose
from tracker.outputs.output import About
from tracker.outputs.streams.address import Datagrams
from tracker.outputs.streams.avatars import perfect_sync, vrm0
from tracker.outputs.streams.osc_packets import bundles, message, named, need_osc
from tracker.result import Result, oldest_face, oldest_hands
from tracker.types import Frame, Side, Track

PORT = 39539
REST = np.array([0.0, 0, 0, 0, 0, 0, 1])  # position and quaternion of a bone in the T pose
SIDES: tuple[Side, Side] = ("left", "right")
NAMES = {
    side: [f"{side.capitalize()}{finger}{bone}" for finger in FINGERS for bone in BONES]
    for side in SIDES
}


class Vmc:
    """Sends the bones of one avatar: the oldest face, the oldest hand of each side."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where that is no address, or python-osc is not there."""
        need_osc()
        self._about, self._out = about, Datagrams(target, PORT)
        self._lengths = {side: BoneLengths() for side in SIDES}
        self._start: float | None = None
        self._sent: set[str] = set()  # names of all blend shapes so far

    def put(self, frame: Frame, result: Result | None) -> None:
        """Send the pose of a frame."""
        if self._start is None:
            self._start = frame.t
        self._send(frame.t - self._start, result)

    def close(self, whole: bool) -> None:
        """The avatar returns to its T pose."""
        self._send(0.0, None)
        self._out.close()

    def _send(self, t: float, result: Result | None) -> None:
        for datagram in bundles(self._messages(t, result)):
            self._out.send(datagram)

    def _messages(self, t: float, result: Result | None) -> Iterator[bytes]:
        face, hands = oldest_face(result), oldest_hands(result)
        seen = face is not None or bool(hands)
        yield message("/VMC/Ext/OK", 1, 3, 0, int(seen))
        yield message("/VMC/Ext/T", t)
        yield _bone("/VMC/Ext/Root/Pos", "root", REST[3:])
        head = REST[3:]
        if face is not None and face.pose is not None:
            head = half(quaternion(rotation_from_pose(self._about.centred(face.pose))))
        for name in ("Neck", "Head"):
            yield _bone("/VMC/Ext/Bone/Pos", name, head)
        for side in SIDES:
            yield from self._fingers(side, hands.get(side))
        values = blends(face)
        gone = dict.fromkeys(self._sent - values.keys(), 0.0)  # what was lost is at rest
        self._sent |= values.keys()
        for name, value in {**values, **gone}.items():
            yield named("/VMC/Ext/Blend/Val", name, "f") + _floats([value])
        yield message("/VMC/Ext/Blend/Apply")

    def _fingers(self, side: Side, hand: Track | None) -> Iterator[bytes]:
        bones = None if hand is None else hand_bones(hand, self._lengths[side])
        turns = np.tile(REST[3:], (5, 3, 1)) if bones is None else finger_turns(bones, side)
        places = np.zeros((15, 7), ">f4")
        places[:, 3:] = turns.reshape(15, 4)
        data = places.tobytes()
        for i, name in enumerate(NAMES[side]):
            yield named("/VMC/Ext/Bone/Pos", name, "fffffff") + data[28 * i : 28 * i + 28]


def blends(face: Track | None) -> dict[str, float]:
    """Blend shapes of VRM 0 by what 68 landmarks show, 0 without them; expressions of the model.

    An expression is sent by its own name, and takes the place of what landmarks say.
    """
    shown = {} if face is None else dict(face.attributes)
    if face is None or face.pose is None or len(face.xy) != 68:
        return {"Blink_L": 0.0, "Blink_R": 0.0, "A": 0.0, **shown}
    seen = measured(face)[1]
    usual = {"Blink_L": 1 - seen.eye_left, "Blink_R": 1 - seen.eye_right, "A": seen.mouth_open}
    if face.expressions is not None:
        usual = vrm0(face.expressions) | perfect_sync(face.expressions)
    return usual | shown


def finger_turns(bones: HandBones, side: Side) -> NDArray[np.float64]:
    """(5, 3, 4) local quaternions x y z w of an avatar's finger bones, in Unity's axes."""
    rest = np.broadcast_to(np.eye(3), (5, 3, 3)).copy()
    rest[0] = thumb_at_rest(side)
    axes, before = np.broadcast_to(np.eye(3), (5, 3, 3)), np.broadcast_to(np.eye(3), (5, 3, 3))
    local = np.empty((5, 3, 3, 3))
    for j in range(3):
        axes = axes @ bones.fingers[:, j]  # of each finger's bone, in the hand's axes
        now = axes @ rest.transpose(0, 2, 1)  # its turn from where it rests
        local[:, j] = before.transpose(0, 2, 1) @ now
        before = now
    turned = quaternions(local.reshape(15, 3, 3)).reshape(5, 3, 4)
    signs = (-1, -1, 1, 1) if side == "right" else (1, -1, -1, 1)  # of mirrored axes z, x
    return np.asarray(turned * signs)


def quaternions(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """x y z w (N, 4) of rotation matrices (N, 3, 3); w is never negative."""
    r = rotations
    xx, yy, zz = r[:, 0, 0], r[:, 1, 1], r[:, 2, 2]
    traces = np.stack([xx - yy - zz, yy - xx - zz, zz - xx - yy, xx + yy + zz], 1)
    size = np.sqrt(np.maximum(1 + traces, 0)) / 2
    best = size.argmax(1)
    a, b, c = r[:, 2, 1], r[:, 0, 2], r[:, 1, 0]
    d, e, f = r[:, 1, 2], r[:, 2, 0], r[:, 0, 1]
    rows = np.stack([
        np.stack([4 * size[:, 0] ** 2, f + c, b + e, a - d], 1),
        np.stack([f + c, 4 * size[:, 1] ** 2, a + d, b - e], 1),
        np.stack([b + e, a + d, 4 * size[:, 2] ** 2, c - f], 1),
        np.stack([a - d, b - e, c - f, 4 * size[:, 3] ** 2], 1),
    ], 1)  # fmt: skip
    chosen = rows[np.arange(len(r)), best]
    chosen /= np.sqrt((chosen * chosen).sum(1, keepdims=True))
    return np.asarray(np.where(chosen[:, 3:] < 0, -chosen, chosen))


def quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """x y z w (4,) of one rotation matrix (3, 3)."""
    return np.asarray(quaternions(rotation[None])[0])


def half(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quaternion (4,) of half the turn."""
    middle = turn + REST[3:]
    size = float(np.linalg.norm(middle))
    return np.asarray(middle / size) if size > 1e-9 else turn


def _bone(address: str, name: str, turn: NDArray[np.float64]) -> bytes:
    return named(address, name, "fffffff") + _floats([0.0, 0.0, 0.0, *turn.tolist()])


def _floats(values: list[float]) -> bytes:
    return np.array(values, ">f4").tobytes()
