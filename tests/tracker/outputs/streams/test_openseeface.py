"""OpenSeeFace's packets, read by its documentation, and by the arithmetic of its Unity receiver."""

from __future__ import annotations

import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.receivers import mailbox
from tracker.find.expressions import in_order
from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.outputs.output import About
from tracker.outputs.streams.openseeface import CORNERS, IBUG, OpenSeeFace
from tracker.result import Result
from tracker.types import Frame, Pose, Track

ABOUT = About("cam", clips.USED)


def face(pose: Pose, number: int = 1, at: tuple[float, float, float] = (3, -4, 60)) -> Track:
    """The average face in a pose, 8 pixels a centimetre."""
    turn = rotation_from_pose(pose)
    xy = 8 * (face_xyz() @ turn.T)[:, :2] + (320, 240)
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3], matrix[:3, 3] = turn, at
    whole = replace(pose, matrix=matrix)
    return replace(clips.track("face", number=number), pose=whole, xy=xy.astype(np.float32))


class Read:
    """A packet of 1,785 bytes, offset by offset."""

    def __init__(self, data: bytes) -> None:
        assert len(data) == 1785
        self.t, self.number = struct.unpack_from("<di", data, 0)
        self.size = struct.unpack_from("<2f", data, 12)
        self.eyes = struct.unpack_from("<2f", data, 20)  # right, left
        self.got_3d, self.error = data[28], struct.unpack_from("<f", data, 29)[0]
        self.quaternion = np.array(struct.unpack_from("<4f", data, 33))
        self.euler = struct.unpack_from("<3f", data, 49)
        self.translation = struct.unpack_from("<3f", data, 61)
        self.confidence = struct.unpack_from("<68f", data, 73)
        self.points = np.array(struct.unpack_from("<136f", data, 345)).reshape(68, 2)
        self.space = np.array(struct.unpack_from("<210f", data, 889)).reshape(70, 3)
        self.features = struct.unpack_from("<14f", data, 1729)


def sent(*tracks: Track) -> list[Read]:
    with mailbox() as box:
        output = OpenSeeFace(f"openseeface://127.0.0.1:{box.port}", ABOUT)
        frame = Frame(1, 12.5, np.zeros((480, 640, 3), np.uint8))
        output.put(frame, Result(12.5, tracks))
        data = box.take()
        output.close(True)
        return [Read(data[i : i + 1785]) for i in range(0, len(data), 1785)]


def test_fields_of_a_face_at_rest() -> None:
    track = face(Pose(0, 0, 0))
    (read,) = sent(clips.track("hand"), track)
    assert (read.t, read.number, read.size, read.got_3d) == (12.5, 0, (640, 480), 1)
    assert 0.2 < min(read.eyes) <= max(read.eyes) < 0.6, "of the average face"
    assert read.confidence == pytest.approx([0.9] * 68)
    assert read.points[:66] == pytest.approx(track.xy[list(IBUG)])
    assert read.points[66] == pytest.approx(track.xy[list(CORNERS[0])].mean(0))
    assert read.features[3] == pytest.approx(0, abs=0.01)  # brows of the average face
    assert read.euler == (180, 0, 90), "what OpenSeeFace takes as straight ahead"


@pytest.mark.parametrize("pose", [Pose(10, 5, 3), Pose(-30, -20, 60), Pose(70, 2, -5)])
def test_angles_and_quaternion_are_of_one_rotation(pose: Pose) -> None:
    """OpenSeeFace asks OpenCV for the angles, and writes the quaternion of the transpose."""
    (read,) = sent(face(pose))
    x, y, z, w = read.quaternion * (-1, -1, -1, 1)
    raw = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    assert cv2.RQDecomp3x3(raw)[0] == pytest.approx(read.euler, abs=1e-2)


def test_the_66_points_run_round_the_mouth() -> None:
    """Corners last and first of the inner lip: 58 is the person's right one, 62 the left one."""
    assert len(IBUG) == len(set(IBUG)) == 66
    solid = face_xyz()[list(IBUG)]
    mouth = solid[48:, 0]
    assert mouth.argmin() + 48 == 58 and mouth.argmax() + 48 == 62
    assert solid[59:62, 1].mean() < solid[63:66, 1].mean(), "upper inner lip, then the lower one"
    assert solid[48:53, 1].mean() < solid[53:58, 1].mean(), "upper outer lip, then the lower one"


def unity(read: Read) -> tuple[np.ndarray, np.ndarray]:
    """What OpenSee.cs makes of a packet: a quaternion x y z w and a place."""
    x, y, z, w = read.quaternion
    a, b, c = read.translation
    return np.array([-x, y, -z, w]), np.array([-b, a, -c])


def turned(q: np.ndarray, vector: np.ndarray) -> np.ndarray:
    u, w = q[:3], q[3]
    turned_vector: np.ndarray = vector + 2 * np.cross(u, np.cross(u, vector) + w * vector)
    return turned_vector


def test_the_receiver_sees_the_turn_of_the_head() -> None:
    """Against rest, by the receiver's quaternion: yaw, pitch, roll turn about its three axes."""
    rest, _ = unity(sent(face(Pose(0, 0, 0)))[0])
    conjugate = rest * (-1, -1, -1, 1)
    angles = []
    for pose in (Pose(20, 0, 0), Pose(0, 20, 0), Pose(0, 0, 20)):
        now, _ = unity(sent(face(pose))[0])
        u, w, v, s = now[:3], now[3], conjugate[:3], conjugate[3]
        turn = np.append(w * v + s * u + np.cross(u, v), w * s - u @ v)
        turn = turn * np.sign(turn[3])
        assert 2 * np.rad2deg(np.arccos(turn[3])) == pytest.approx(20, abs=0.01)
        angles.append(turn[:3] / np.linalg.norm(turn[:3]))
    assert np.abs(np.array(angles) @ np.array(angles).T) == pytest.approx(np.eye(3), abs=1e-4)


def test_place_in_units_of_its_average_face() -> None:
    """Right of the picture is +x, up is +y, depth +z in the receiver; 0.6318 across the eyes."""
    (read,) = sent(face(Pose(0, 0, 0), at=(10, -5, 50)))
    unit = np.linalg.norm(face_xyz()[45] - face_xyz()[36]) / 0.6318
    _, place = unity(read)
    nose = face_xyz()[30]
    wanted = (10 + nose[0], -(-5 + nose[1]), 50 + nose[2])
    assert place * unit == pytest.approx(wanted, abs=1e-3)


def test_points_in_space_do_not_turn_with_the_head() -> None:
    rest, turned_away = sent(face(Pose(0, 0, 0)))[0], sent(face(Pose(25, -10, 15)))[0]
    assert turned_away.space == pytest.approx(rest.space, abs=1e-3)
    assert rest.space[30] == pytest.approx([0, 0, 0], abs=1e-6)
    # On the wire y and z are turned round; before: x to the person's right, y up, z ahead.
    eye, chin, ear = rest.space[36], rest.space[8], rest.space[0]
    assert eye[0] > 0 and -eye[1] > 0 and -chin[1] < 0 and -ear[2] < 0
    assert rest.space[36, 0] - rest.space[45, 0] == pytest.approx(0.6318, abs=1e-3)


def test_several_faces_keep_their_numbers_and_lost_ones_are_not_sent() -> None:
    with mailbox() as box:
        output = OpenSeeFace(f"openseeface://127.0.0.1:{box.port}", ABOUT)
        a, b = face(Pose(0, 0, 0), 7), face(Pose(0, 0, 0), 9)
        frame = Frame(1, 1.0, np.zeros((480, 640, 3), np.uint8))
        numbers = []
        for tracks in ((a, b), (b,), (b, a)):
            output.put(frame, Result(1.0, tracks))
            data = box.take()
            numbers.append([Read(data[i : i + 1785]).number for i in range(0, len(data), 1785)])
        assert numbers == [[0, 1], [1], [1, 0]]
        output.put(frame, Result(1.0, ()))
        output.put(frame, None)
        output.close(True)
        assert box.is_empty()


def test_a_model_with_expressions_tells_each_side() -> None:
    told = {
        "eyeBlinkLeft": 0.75, "eyeWideRight": 0.5, "mouthSmileLeft": 0.5, "mouthFrownRight": 0.25,
        "mouthPucker": 0.125, "jawOpen": 0.5, "browInnerUp": 0.375,
    }  # fmt: skip
    track = replace(face(Pose(0, 0, 0)), expressions=np.array(in_order(told), np.float32))
    (read,) = sent(track)
    names = ("eye l", "eye r", "steep l", "brow l", "quirk l", "steep r", "brow r", "quirk r",
             "up l", "out l", "up r", "out r", "open", "wide")  # fmt: skip
    found = dict(zip(names, read.features, strict=True))
    assert (found["eye l"], found["eye r"]) == (-0.75, 0.5)
    assert (found["up l"], found["up r"]) == (0.5, -0.25)
    assert (found["out l"], found["out r"]) == (0.375, -0.125)
    assert (found["open"], found["wide"], found["brow l"]) == (0.5, 0.125, 0.375)
    assert read.eyes == (1, 0.25)  # right, left
