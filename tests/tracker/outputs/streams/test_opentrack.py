"""opentrack: 48 bytes, read by the documentation alone."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.receivers import mailbox
from tracker.outputs.output import About
from tracker.outputs.streams.opentrack import OpenTrack
from tracker.result import Result
from tracker.types import Frame, Pose, Track


def face(pose: Pose, number: int = 1) -> Track:
    return replace(clips.track("face", number=number), pose=pose)


def placed(x: float, y: float, z: float) -> np.ndarray:
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = x, y, z
    return matrix


def test_x_y_z_yaw_pitch_roll_and_lost_is_nan() -> None:
    about = About("cam", clips.USED)
    with mailbox() as box:
        output = OpenTrack(f"opentrack://127.0.0.1:{box.port}", about)
        pose = Pose(10, -5, 2.5, placed(3, -4, 60))
        output.put(Frame(1, 1.0, None), Result(1.0, (face(Pose(1, 1, 1), 9), face(pose, 2))))
        data = box.take()
        assert len(data) == 48, "of two faces the older one is sent"
        assert struct.unpack("<6d", data) == (3, 4, 60, 10, -5, 2.5)
        for result in (Result(1.1, (clips.track("hand"),)), None):
            output.put(Frame(2, 1.1, None), result)
            assert np.isnan(struct.unpack("<6d", box.take())).all()
        output.put(Frame(3, 1.2, None), Result(1.2, (face(Pose(1, 2, 3)),)))
        assert struct.unpack("<6d", box.take()) == (0, 0, 0, 1, 2, 3), "the place is not known"
        output.close(True)
        assert np.isnan(struct.unpack("<6d", box.take())).all()


def test_from_the_user_s_centre() -> None:
    about = About("cam", clips.USED)
    about.centring.recentre()
    about.centring.see(Result(1.0, (face(Pose(20, 0, 0, placed(5, 5, 50))),)))
    with mailbox() as box:
        output = OpenTrack(f"opentrack://127.0.0.1:{box.port}", about)
        output.put(Frame(1, 1.0, None), Result(1.0, (face(Pose(35, 0, 0, placed(6, 3, 45))),)))
        assert struct.unpack("<6d", box.take()) == pytest.approx((1, 2, -5, 15, 0, 0), abs=1e-4)
        output.close(True)
