"""What a face does, on the average face moved by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.find.expressions import by_name, in_order
from tracker.find.face_measures import (
    FaceMeasures,
    from_the_front,
    measured,
    measures,
    told_by,
)
from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.types import Pose

REST = Pose(0, 0, 0)


def seen(solid: np.ndarray, pose: Pose) -> np.ndarray:
    return (solid @ rotation_from_pose(pose).T)[:, :2] * 7 + (100, 50)


def of_a_head(solid: np.ndarray, pose: Pose) -> FaceMeasures:
    return measures(from_the_front(seen(solid, pose), pose))


@pytest.mark.parametrize("pose", [REST, Pose(25, 10, -30), Pose(-40, -15, 80)])
def test_a_turned_head_is_turned_back(pose: Pose) -> None:
    solid = face_xyz().copy()
    solid[[65, 66, 67], 1] += 1.5  # the mouth opens by 1.5 cm in the face's own plane
    assert from_the_front(seen(solid, pose), pose) == pytest.approx(solid[:, :2], abs=1e-6)
    found, frontal = of_a_head(solid, pose), of_a_head(solid, REST)
    assert found.mouth_open == pytest.approx(frontal.mouth_open, abs=1e-6)


def test_in_profile_nothing_is_turned_back_and_nothing_breaks() -> None:
    found = of_a_head(face_xyz(), Pose(90, 0, 0))
    assert all(np.isfinite(getattr(found, name)) for name in found.__slots__)


def test_each_measure_moves_alone() -> None:
    def moved(points: list[int], dx: float, dy: float) -> object:
        solid = face_xyz().copy()
        solid[points, 0] += dx
        solid[points, 1] += dy
        return of_a_head(solid, REST)

    rest = of_a_head(face_xyz(), REST)
    assert (rest.brow_left, rest.brow_right, rest.smile, rest.mouth_wide) == pytest.approx((0,) * 4)
    up = moved([22, 23, 24, 25, 26], 0, -0.4)
    assert (up.brow_left, up.brow_right) == pytest.approx((0.5, 0))  # type: ignore[attr-defined]
    smile = moved([48, 54], 0, -0.3)
    assert smile.smile == pytest.approx(0.5)  # type: ignore[attr-defined]
    gape = moved([65, 66, 67], 0, 1.0)
    assert gape.mouth_open > rest.mouth_open + 0.2  # type: ignore[attr-defined]


def test_expressions_are_believed_before_landmarks():
    seen = dict.fromkeys(by_name(np.zeros(52)), 0.0) | {
        "eyeBlinkLeft": 0.75, "jawOpen": 0.5, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.5,
        "browInnerUp": 0.25, "browDownRight": 0.5,
    }  # fmt: skip
    found = told_by(seen)
    assert (found.eye_left, found.eye_right) == (0.25, 1.0)
    assert (found.mouth_open, found.smile, found.mouth_wide) == (0.5, 0.5, 0.5)
    assert (found.brow_left, found.brow_right) == (0.25, -0.25)
    track = replace(clips.track("face"), expressions=np.array(in_order(seen), np.float32))
    assert measured(track)[1] == found
