from __future__ import annotations

import numpy as np
import pytest

from tracker.find.detectors import face, palm
from tracker.find.geometry import (
    apply,
    box_from_landmarks,
    crop_to_frame,
    frame_to_crop,
    iou,
    rotation,
    upright_angle,
)
from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.types import CropBox, CropRule, Detection, Pose


def box(x: float, y: float, side: float, angle: float) -> CropBox:
    return CropBox(np.array([x, y], np.float32), side, angle)


def test_corners_by_hand() -> None:
    """A crop of 4 px over 8 frame px: crop pixel 0 covers frame -0.5 .. 1.5 of the square."""
    matrix = crop_to_frame(box(10, 20, 8, 0), 4)
    assert apply(matrix, [[1.5, 1.5], [0, 0], [3, 0]]) == pytest.approx(
        np.array([[10, 20], [7, 17], [13, 17]])
    )


def test_a_quarter_turn_clockwise() -> None:
    """The crop's x axis then points down in the frame, its y axis to the left."""
    matrix = crop_to_frame(box(10, 20, 4, 90), 4)
    assert apply(matrix, [[2.5, 1.5], [1.5, 2.5]]) == pytest.approx(np.array([[10, 21], [9, 20]]))


def test_there_and_back() -> None:
    b = box(33.3, -7, 91, 37)
    points = np.array([[1.5, 2.25], [-8, 60]])
    assert apply(frame_to_crop(b, 64), apply(crop_to_frame(b, 64), points)) == pytest.approx(
        points, abs=1e-4
    )


def test_box_of_an_upright_hand() -> None:
    hand = np.zeros((21, 2))
    hand[0] = (50, 100)  # wrist below
    hand[1:] = (50, 40)
    hand[4], hand[20] = (30, 60), (70, 60)
    found = box_from_landmarks("hand", hand)
    assert found.angle == pytest.approx(0)
    assert found.centre_xy == pytest.approx([50, 70])
    assert found.side == pytest.approx(60 * 1.6)


@pytest.mark.parametrize("angle", [-170, -45, 30, 90])
def test_the_box_turns_with_the_hand(angle: float) -> None:
    rng = np.random.default_rng(0)
    hand = rng.uniform(0, 100, (21, 2))
    hand[0], hand[[5, 9, 13]] = (50, 100), (50, 10)
    upright = box_from_landmarks("hand", hand)
    turned = box_from_landmarks("hand", hand @ rotation(angle).T)
    assert turned.angle == pytest.approx(angle)
    assert turned.side == pytest.approx(upright.side)
    assert turned.centre_xy == pytest.approx(rotation(angle) @ upright.centre_xy, abs=1e-3)


def test_detections_by_hand() -> None:
    """A palm that points right: 'up' of the hand is the frame's +x."""
    points = np.array([[100, 100], [0, 0], [150, 100]] + [[0, 0]] * 4, np.float32)
    found = Detection("hand", np.array([80, 80, 120, 120], np.float32), 1.0, points)
    first = palm.first_crop(found)
    assert first.angle == pytest.approx(90)
    assert first.centre_xy == pytest.approx([100 + 0.41 * 40, 100], abs=1e-3)
    assert first.side == pytest.approx(2.87 * 40)
    eyes = np.array([[90, 100], [110, 120]] + [[0, 0]] * 4, np.float32)
    turned = face.first_crop(Detection("face", found.box_xyxy, 1.0, eyes))
    assert turned.angle == pytest.approx(45)


def test_unlabelled_landmarks_are_left_out() -> None:
    points = np.array([[0, 0], [10, 0], [np.nan, np.nan], [0, 10]])
    assert box_from_landmarks("hand", points).centre_xy == pytest.approx([5, 5])
    with pytest.raises(ValueError, match="two landmarks"):
        box_from_landmarks("hand", points[[0, 2]])


def test_iou() -> None:
    assert iou([0, 0, 2, 2], [[1, 0, 3, 2]]) == pytest.approx(1 / 3)
    assert iou([0, 0, 1, 1], [[2, 2, 3, 3]]) == 0


def a_head(yaw: float, roll: float) -> np.ndarray:
    """The average face (68, 2) seen from far away."""
    return (face_xyz() @ rotation_from_pose(Pose(yaw, 0, roll)).T)[:, :2] * 10 + 300


@pytest.mark.parametrize("roll", [0.0, 25.0, -170.0])
@pytest.mark.parametrize(
    ("yaw", "off"), [(0, 1), (45, 1), (75, 25), (90, 25), (-90, 25), (100, 25)]
)
def test_a_head_stands_upright_from_its_side_too(yaw: float, off: float, roll: float) -> None:
    """By its eyes alone a head turned by 90 degrees would stand anyhow: they hide each other."""
    angle = upright_angle("face", a_head(yaw, roll))
    assert abs((angle - roll + 180) % 360 - 180) <= off


def test_two_that_stand_level_come_first_where_they_are_apart() -> None:
    """Four landmarks: 1 and 2 stand level, 3 below 0; turned apart by 30 degrees."""
    rule = CropRule(1.5, across=(1, 2), up=(3, 0))
    turn = np.deg2rad(30)
    up = 40 * np.array([np.sin(turn), -np.cos(turn)])
    xy = np.array([up, [-20, 0], [20, 0], -up])
    assert upright_angle("object", xy, rule) == pytest.approx(0)
    xy[1:3] *= 0.01  # seen from their end
    assert upright_angle("object", xy, rule) == pytest.approx(30)
    # between: radius sqrt((2 * 40^2 + 2 * d^2) / 4); a distance 2 d of 0.325 of it is half the way
    d = np.sqrt(40**2 / (2 * (2 / 0.325) ** 2 - 1))
    xy[1:3] = [[-d, 0], [d, 0]]
    assert upright_angle("object", xy, rule) == pytest.approx(15)
    xy[3] = np.nan
    assert upright_angle("object", xy, rule) == pytest.approx(0)
