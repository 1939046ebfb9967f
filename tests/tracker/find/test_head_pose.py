from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import cv2
import numpy as np
import pytest

from tracker.find import head_pose
from tracker.find.head_pose import (
    RIGID,
    Lens,
    axes_xy,
    face_xyz,
    lens,
    pose_from_landmarks,
    pose_from_rotation,
    rotation_from_pose,
    rotation_to,
    with_place,
    wrap_degrees,
)
from tracker.types import Pose

NOSE = np.array([0.0, 0.0, -1.0])  # the gaze of a face at rest, into the camera
LEFT_EAR = np.array([1.0, 0.0, 0.0])  # the person's left is the picture's right


def seen(pose: Pose, scale: float = 10.0, at: tuple[float, float] = (300.0, 200.0)) -> np.ndarray:
    """The 3D face (68, 2) in pixels, seen from infinitely far."""
    return (face_xyz() @ rotation_from_pose(pose).T)[:, :2] * scale + at


def test_yaw_turns_the_nose_to_the_right_of_the_picture() -> None:
    nose = rotation_from_pose(Pose(30, 0, 0)) @ NOSE
    assert nose == pytest.approx([0.5, 0, -np.sqrt(0.75)])


def test_pitch_lifts_the_nose() -> None:
    nose = rotation_from_pose(Pose(0, 30, 0)) @ NOSE
    assert nose == pytest.approx([0, -0.5, -np.sqrt(0.75)])  # y points down


def test_roll_tilts_clockwise_on_screen() -> None:
    ear = rotation_from_pose(Pose(0, 0, 90)) @ LEFT_EAR
    assert ear == pytest.approx([0, 1, 0])  # what was on the right is now below


def test_order_is_nod_then_turn_then_tilt() -> None:
    """Nose up by 90 degrees points it up; the turn about y leaves it; a tilt by 90 moves it."""
    nose = rotation_from_pose(Pose(40, 90, 90)) @ NOSE
    assert nose == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("yaw", [-89.0, -35.0, 0.0, 12.5, 80.0])
@pytest.mark.parametrize("pitch", [-150.0, -20.0, 0.0, 70.0])
@pytest.mark.parametrize("roll", [-179.0, -15.0, 0.0, 100.0])
def test_round_trip(yaw: float, pitch: float, roll: float) -> None:
    back = pose_from_rotation(rotation_from_pose(Pose(yaw, pitch, roll)))
    assert (back.yaw, back.pitch, back.roll) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_profile_gives_the_rotation_back() -> None:
    turn = rotation_from_pose(Pose(90, 20, 35))
    back = pose_from_rotation(turn)
    assert back.pitch == 0
    assert rotation_from_pose(back) == pytest.approx(turn, abs=1e-6)


@pytest.mark.parametrize(
    ("pose", "tolerance"), [(Pose(0, 0, 0), 0.3), (Pose(25, -15, 30), 1.0), (Pose(-45, 20, -60), 2)]
)
def test_pose_of_the_projected_face(pose: Pose, tolerance: float) -> None:
    """The slack is what perspective from 12 faces away makes of an orthographic picture."""
    found = pose_from_landmarks(seen(pose))
    assert (found.yaw, found.pitch, found.roll) == pytest.approx(
        (pose.yaw, pose.pitch, pose.roll), abs=tolerance
    )


def test_place_and_scale_do_not_matter() -> None:
    a = pose_from_landmarks(seen(Pose(20, 10, 5)))
    b = pose_from_landmarks(seen(Pose(20, 10, 5), scale=0.7, at=(-3000.0, 9.0)))
    assert (b.yaw, b.pitch, b.roll) == pytest.approx((a.yaw, a.pitch, a.roll), abs=1e-3)


def test_turning_the_picture_adds_to_roll_only() -> None:
    points = seen(Pose(20, 10, 5))
    a = np.deg2rad(40)
    turned = points @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])  # clockwise
    before, after = pose_from_landmarks(points), pose_from_landmarks(turned)
    assert (after.yaw, after.pitch, after.roll) == pytest.approx(
        (before.yaw, before.pitch, before.roll + 40), abs=1e-3
    )


def test_mirroring_negates_yaw_and_roll() -> None:
    pairs = [*zip(range(0, 8), range(16, 8, -1), strict=True)]
    pairs += [*zip(range(17, 22), range(26, 21, -1), strict=True), (31, 35), (32, 34)]
    pairs += [(36, 45), (37, 44), (38, 43), (39, 42), (41, 46), (40, 47)]
    pairs += [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56)]
    pairs += [(60, 64), (61, 63), (67, 65)]
    order = np.arange(68)
    for i, j in pairs:
        order[[i, j]] = j, i
    points = seen(Pose(20, 10, 5))
    found, mirrored = (pose_from_landmarks(p) for p in (points, (points * (-1, 1))[order]))
    assert (mirrored.yaw, mirrored.pitch, mirrored.roll) == pytest.approx(
        (-found.yaw, found.pitch, -found.roll), abs=1e-3
    )


def test_unlabelled_points_are_left_out() -> None:
    points = seen(Pose(10, 0, 0))
    points[[20, 33, 48]] = np.nan
    assert pose_from_landmarks(points).yaw == pytest.approx(10, abs=1)


def test_too_few_points() -> None:
    points = seen(Pose(0, 0, 0))
    points[list(RIGID[5:])] = np.nan
    with pytest.raises(ValueError, match="six rigid"):
        pose_from_landmarks(points)
    with pytest.raises(ValueError, match=r"\(68, 2\)"):
        pose_from_landmarks(points[:21])
    with pytest.raises(ValueError, match="one line"):
        pose_from_landmarks(np.arange(68)[:, None] * np.ones(2))


def test_axes_for_drawing() -> None:
    right, down, out = axes_xy(Pose(30, 0, 0), (100, 50), 10)
    assert right == pytest.approx([100 + 10 * np.cos(np.pi / 6), 50])
    assert down == pytest.approx([100, 60])
    assert out == pytest.approx([105, 50])  # the nose points to the picture's right


def test_wrap() -> None:
    assert [wrap_degrees(a) for a in (180, -180, 190, -190, 720)] == [180, 180, -170, 170, 0]


def photographed(
    pose: Pose, at: tuple[float, float, float], focal: float, centre: tuple[float, float]
) -> np.ndarray:
    """The 3D face (68, 2) in pixels, its middle between the eyes at `at` (cm), by a pinhole."""
    xyz = face_xyz() @ rotation_from_pose(pose).T + at
    return xyz[:, :2] / xyz[:, 2:] * focal + centre


@pytest.mark.parametrize(
    ("turn", "at"),
    [
        (Pose(0, 0, 0), (0, 0, 60)),
        (Pose(25, -15, 20), (12, -8, 45)),
        (Pose(-40, 10, -5), (-20, 10, 120)),
        (Pose(5, 30, 90), (3, 3, 30)),
    ],
)
@pytest.mark.parametrize(("fov", "focal"), [(None, 640.0), (90.0, 320.0)])
def test_place_is_where_the_face_was_put(
    turn: Pose, at: tuple[float, float, float], fov: float | None, focal: float
) -> None:
    xy = photographed(turn, at, focal, (319.5, 239.5))
    found = with_place(pose_from_landmarks(xy), xy, lens((640, 480), fov))
    assert found.matrix is not None and found.xyz_cm is not None
    assert found.xyz_cm == pytest.approx(at, abs=0.02)
    assert found.matrix[:3, :3] == pytest.approx(rotation_from_pose(turn), abs=1e-3)
    assert found.matrix[3] == pytest.approx([0, 0, 0, 1])


def test_yaw_tells_how_the_face_looks_and_the_matrix_how_it_stands() -> None:
    """At the right edge, looking along the camera's axis: it is seen from its own left."""
    at = (30.0, 0.0, 60.0)
    xy = photographed(Pose(0, 0, 0), at, 640, (319.5, 239.5))
    found = with_place(pose_from_landmarks(xy), xy, lens((640, 480)))
    assert found.yaw == pytest.approx(np.rad2deg(np.arctan(0.5)), abs=2.5)
    assert found.matrix is not None and found.matrix[:3, :3] == pytest.approx(np.eye(3), abs=1e-3)


def test_place_needs_six_points_and_a_field_of_view() -> None:
    xy = photographed(Pose(0, 0, 0), (0, 0, 60), 640, (319.5, 239.5))
    xy[np.array(RIGID[5:])] = np.nan
    assert with_place(Pose(1, 2, 3), xy, lens((640, 480))).matrix is None
    for fov in (0.0, 180.0, float("nan")):
        with pytest.raises(ValueError, match="1 to 179"):
            lens((640, 480), fov)


def test_rotation_to_a_direction() -> None:
    for direction in ([0, 0, 2], [1, 0, 0], [0, -3, 0], [1, 2, -2], [0, 0, -1]):
        turn, wanted = rotation_to(direction), np.array(direction) / np.linalg.norm(direction)
        assert turn @ [0, 0, 1] == pytest.approx(wanted)
        assert turn @ turn.T == pytest.approx(np.eye(3)) and np.linalg.det(turn) == pytest.approx(1)


def test_a_place_that_a_network_tells_is_believed():
    """10 px beside the middle of the lens; corners of the eyes that are 100 px apart."""
    seen_by, solid = Lens(500.0, (320.0, 240.0)), face_xyz()
    apart = float(np.linalg.norm(solid[45] - solid[36]))
    z = 500 * apart / 100
    pose = Pose(0, 0, 0, seen_at=np.array([330, 240, 100], np.float32))
    found = with_place(pose, np.zeros((68, 2)), seen_by)
    assert found.xyz_cm == pytest.approx([10 * z / 500, 0, z], rel=1e-5)
    # it looks to the camera as it does from the front: turned by the ray's angle
    turn = pose_from_rotation(found.matrix[:3, :3])
    assert abs(turn.yaw) == pytest.approx(np.rad2deg(np.arctan2(10, 500)), abs=1e-3)


def test_the_place_of_landmarks_is_that_of_the_network():
    """The same face by both ways: its points projected, and where its eyes' middle lies."""
    seen_by, solid = Lens(600.0, (320.0, 240.0)), face_xyz()
    turn, shift = rotation_from_pose(Pose(25, -10, 5)), np.array([8.0, -5, 70])
    points = solid @ turn.T + shift
    xy = points[:, :2] / points[:, 2:] * 600 + (320, 240)
    by_points = with_place(pose_from_landmarks(xy), xy, seen_by)
    middle = shift[:2] / shift[2] * 600 + (320, 240)
    apart = float(np.linalg.norm(solid[45] - solid[36])) * 600 / shift[2]
    seen_at = np.append(middle, apart).astype(np.float32)
    by_network = with_place(replace(pose_from_landmarks(xy), seen_at=seen_at), xy, seen_by)
    assert by_points.xyz_cm == pytest.approx(shift, abs=0.05)
    assert by_network.xyz_cm == pytest.approx(shift, abs=0.05)
    apart_by = np.rad2deg(np.arccos(
        (np.trace(by_points.matrix[:3, :3].T @ by_network.matrix[:3, :3]) - 1) / 2))  # fmt: skip
    assert apart_by < 2


def test_a_place_is_computed_when_it_is_asked_for_and_once(monkeypatch):
    """What nobody asks for costs nothing; later changes of the landmarks do not change it."""
    xy, calls = photographed(Pose(25, -15, 20), (12, -8, 45), 640, (319.5, 239.5)), []
    solve = cv2.solvePnP

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(args)
        return solve(*args, **kwargs)

    pose, seen_by = pose_from_landmarks(xy), lens((640, 480))
    at_once = with_place(pose, xy, seen_by).matrix
    monkeypatch.setattr(head_pose.cv2, "solvePnP", counted)
    found = with_place(pose, xy, seen_by)
    assert not calls and at_once is not None
    xy += 50  # whoever gave them goes on with them
    assert found.xyz_cm == pytest.approx((12, -8, 45), abs=0.02) and len(calls) == 1
    assert np.array_equal(found.matrix, at_once) and found.matrix is found.matrix
    moved = replace(found, yaw=1.0)
    assert moved.matrix is found.matrix and replace(found, matrix=None).matrix is None
    assert len(calls) == 1 and Pose(1, 2, 3).matrix is None
    with pytest.raises(FrozenInstanceError):
        found.matrix = None
