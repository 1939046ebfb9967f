"""The user's own straight ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.live import FakeCamera, FakeLiveTracker, wait_for
from tests.tracker.live.test_pipeline import running
from tracker.find.head_pose import rotation_from_pose
from tracker.outputs.centring import Centring
from tracker.result import Result
from tracker.types import Pose


def seen(t: float, pose: Pose) -> Result:
    return Result(t, (clips.track("hand"), replace(clips.track("face", number=2), pose=pose)))


def angles(pose: Pose) -> tuple[float, float, float]:
    return pose.yaw, pose.pitch, pose.roll


def test_poses_are_as_seen_until_a_centre_is_wanted() -> None:
    centring, pose = Centring(), Pose(10, 5, 3)
    centring.see(seen(0, pose))
    assert centring.relative(pose) is pose
    centring.recentre()
    centring.see(Result(0.1, ()))  # nobody is there; the wish stays
    assert centring.relative(pose) is pose
    centring.see(seen(0.2, pose))
    assert angles(centring.relative(pose)) == pytest.approx((0, 0, 0), abs=1e-9)
    other = Pose(-30, 20, 8)
    turn = rotation_from_pose(pose) @ rotation_from_pose(centring.relative(other))
    assert turn == pytest.approx(rotation_from_pose(other)), "centre, then relative, is the pose"
    centring.reset()
    assert centring.relative(pose) is pose


def test_place_moves_with_the_centre() -> None:
    def at(x: float) -> Pose:
        matrix = np.eye(4, dtype=np.float32)
        matrix[0, 3] = x
        return Pose(0, 0, 0, matrix)

    centring = Centring()
    centring.recentre()
    centring.see(seen(0, at(3)))
    moved = centring.relative(at(10))
    assert moved.xyz_cm == pytest.approx([7, 0, 0])
    assert centring.relative(Pose(0, 0, 0)).matrix is None


def test_a_centre_that_follows() -> None:
    """63 % of the way in the time given, whatever the frame rate; the shortest way round."""
    for fps in (10, 100):
        centring = Centring()
        centring.follow(2.0)
        centring.see(seen(0, Pose(0, 0, 179)))
        for i in range(1, 2 * fps + 1):
            centring.see(seen(i / fps, Pose(20, 0, -171)))
        left = centring.relative(Pose(20, 0, -171))
        assert angles(left) == pytest.approx((20 / np.e, 0, 10 / np.e), abs=1.0)
    with pytest.raises(ValueError, match="more than 0"):
        centring.follow(0)


def test_the_pipeline_shows_it_each_frame() -> None:
    tracker = FakeLiveTracker()
    tracker.tracks = seen(0, Pose(10, 5, 3)).tracks
    with running(FakeCamera(), tracker) as pipeline:
        wait_for(lambda: pipeline.latest() is not None, "a picture")
        pipeline.centring.recentre()
        wait_for(lambda: abs(pipeline.centring.relative(Pose(10, 5, 3)).yaw) < 1e-6, "the centre")
