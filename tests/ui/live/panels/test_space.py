"""Hands and heads in space: by numbers derived by hand, and as it is painted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt

from tests.helpers import clips
from tests.helpers.fake_pipeline import plain
from tests.helpers.fake_window import Studio
from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.outputs.skeleton import default_skeletons
from tracker.result import Result
from tracker.types import Pose
from ui.live.panels.space import (
    ACROSS,
    GROUND,
    HEAD_CM,
    PALM,
    START,
    body_of,
    projected,
    turned,
)

NEAR, RIGHT, UP = np.array([0.0, 0, 1]), np.array([1.0, 0, 0]), np.array([0.0, 1, 0])
LOOKS = default_skeletons()


def test_turning() -> None:
    """What is near goes to the right, then down."""
    assert turned(NEAR, 90, 0) == pytest.approx(RIGHT)
    assert turned(RIGHT, 90, 0) == pytest.approx(-NEAR)
    assert turned(NEAR, 0, 90) == pytest.approx(-UP)
    assert turned(UP, 0, 90) == pytest.approx(NEAR)
    assert turned(NEAR, 90, 90) == pytest.approx(RIGHT), "first turned, then tilted"
    assert turned(np.stack([UP, RIGHT]), 0, 0) == pytest.approx(np.stack([UP, RIGHT]))


def test_projection() -> None:
    """A unit of 10 pixels; one unit nearer of five looks 5 / 4 as large."""
    found = projected(np.array([[1.0, 1, 0], [1, 1, 1], [0, 0, 1]]), (50, 40), 10)
    assert found == pytest.approx(np.array([[60, 30], [62.5, 27.5], [50, 40]]))


def test_the_ground_lies_in_its_cell() -> None:
    """Its ring was cut off below, at any size: by hand, its nearest point is 1.58 units down."""
    ground = projected(turned(GROUND, *START), (0, 0), 1.0)
    assert np.abs(ground).max() == pytest.approx(1.58, abs=0.01)
    assert np.abs(ground).max() < ACROSS / 2


def test_a_hand_keeps_its_shape() -> None:
    xyz = np.zeros((21, 3), np.float32)
    xyz[9] = 0, 1, 0  # the middle knuckle, a palm above the wrist
    xyz[12] = 0.5, 2, -1
    body = body_of(replace(clips.track(), xyz=xyz), LOOKS)
    assert body is not None and body.axes is None
    assert body.xyz[9] - body.xyz[0] == pytest.approx([0, 1 / PALM, 0])
    assert body.xyz[12] - body.xyz[0] == pytest.approx([0.5 / PALM, 2 / PALM, -1 / PALM])
    assert (body.xyz.max(0) + body.xyz.min(0)) / 2 == pytest.approx(np.zeros(3), abs=1e-6)
    assert body_of(replace(clips.track(), xyz=None), LOOKS) is None, "no depth is known"
    xyz[3] = np.nan
    assert body_of(replace(clips.track(), xyz=xyz), LOOKS) is None


def ends(pose: Pose) -> np.ndarray:
    """(3, 3) directions of the axes X, Y, Z in space."""
    body = body_of(replace(clips.track("face"), pose=pose), LOOKS)
    assert body is not None and body.axes is not None
    assert len(body.xyz) == len(face_xyz())
    return (body.axes[1:] - body.axes[0]) * HEAD_CM / 6


def test_axes_of_a_head() -> None:
    """The person's left is the viewer's right, down is down, the nose points to the viewer."""
    assert ends(Pose(0, 0, 0)) == pytest.approx(np.stack([RIGHT, -UP, NEAR]), abs=1e-6)
    assert ends(Pose(90, 0, 0))[2] == pytest.approx(RIGHT, abs=1e-6), "yaw > 0: to the right"
    assert ends(Pose(0, 90, 0))[2] == pytest.approx(UP, abs=1e-6), "pitch > 0: up"
    assert ends(Pose(0, 0, 90))[0] == pytest.approx(-UP, abs=1e-6), "roll > 0: clockwise"


def test_the_matrix_goes_before_the_angles() -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, :3] = rotation_from_pose(Pose(90, 0, 0))
    assert ends(Pose(0, 0, 0, matrix))[2] == pytest.approx(RIGHT, abs=1e-6)


def test_in_the_window(studio: Studio) -> None:
    window = studio.open(mirror_devices=False)
    assert not window.space.isVisible(), "off until it is asked for"
    xyz = np.random.default_rng(0).normal(size=(21, 3)).astype(np.float32)
    tracks = (replace(clips.track(), xyz=xyz), clips.track("face", number=2))
    studio.pipeline.give(plain((90, 90, 90), (640, 480)), Result(0.0, tracks))
    studio.key("d")
    window.tick()
    space = window.space
    assert space.isVisible() and len(space.bodies) == 2
    assert window.picture.rect().contains(space.geometry())
    before = space.grab().toImage()
    left_hand = space.bodies[0].xyz.copy()
    studio.key("m")
    assert space.bodies[0].xyz[:, 0] == pytest.approx(-left_hand[:, 0], abs=1e-6)
    studio.key("m")
    centre = space.rect().center()
    studio.bot.mousePress(space, Qt.MouseButton.LeftButton, pos=centre)
    studio.bot.mouseMove(space, centre + QPoint(space.width() // 4, 0))
    studio.bot.mouseRelease(space, Qt.MouseButton.LeftButton)
    assert space.turn == pytest.approx(START[0] + 45, abs=1) and space.tilt == START[1]
    assert space.grab().toImage() != before
    studio.bot.keyClick(space, Qt.Key.Key_Down)
    assert space.tilt == START[1] + 10
    studio.bot.mouseDClick(space, Qt.MouseButton.LeftButton, pos=centre)
    assert (space.turn, space.tilt) == START and space.grab().toImage() == before
    window.resize(480, 400)
    studio.settle()
    assert window.picture.rect().contains(space.geometry())


def test_nothing_in_space_is_said(studio: Studio) -> None:
    window = studio.open(space=True)
    studio.pipeline.give(plain((90, 90, 90), (640, 480)), Result(0.0, (clips.track(),)))
    window.tick()
    assert window.space.isVisible() and list(window.space.bodies) == []
    image = window.space.grab().toImage()
    colours = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert len(colours) > 10, "words are painted"
