"""Composed scenes: a hand lands where its landmarks say, and looks are counted as by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from docs.studies.compose_scenes import (
    FACES,
    SIZE_WH,
    Outcome,
    Scene,
    compose,
    look,
    outline,
    pasted,
    placing,
    read_backgrounds,
    read_hands,
    scenes,
    table,
)
from tests.helpers.clips import hand_xy, track
from tracker.find.geometry import apply, upright_angle
from tracker.result import Result

GRAY = np.full((192, 192, 3), 90, np.uint8)


def test_a_hand_is_turned_scaled_and_centred() -> None:
    xy = hand_xy((80, 100), 40)
    there = apply(placing(xy, 90.0, 120.0, np.array([300, 200], np.float32)), xy)
    low, high = there.min(0), there.max(0)
    assert float((high - low).max()) == pytest.approx(120, abs=0.01)
    assert (low + high) / 2 == pytest.approx([300, 200], abs=0.01)
    assert upright_angle("hand", there) == pytest.approx(90, abs=0.01)


def test_the_outline_holds_the_hand_and_not_what_is_far() -> None:
    xy = hand_xy((96, 100), 30)
    weights = outline(xy, (192, 192))
    at = xy.round().astype(int)
    assert weights[at[:, 1], at[:, 0]].min() > 0.98
    assert weights[:8].max() == 0 and weights[:, :8].max() == 0


def test_pasted_is_the_picture_inside_and_the_scene_outside() -> None:
    scene = np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    weights = np.zeros((192, 192), np.float32)
    weights[50:150, 50:150] = 1
    moved = np.array([[1, 0, 200], [0, 1, 100]], np.float32)
    out = pasted(scene, GRAY, weights, moved)
    assert out[200, 300, 0] == 90 and out[100, 100, 0] == 0 and out[200, 400, 0] == 0


class Seer:
    """Sees what a list says, frame by frame."""

    def __init__(self, *frames: tuple) -> None:
        self.frames = list(frames)

    def process(self, bgr: np.ndarray, t: float) -> Result:
        return Result(t, self.frames.pop(0))


def test_looks_are_counted_by_hand() -> None:
    """Beside it in the first frame, twice; on it in the third."""
    xy = hand_xy((300, 200), 40)
    right = replace(track(number=2), xy=xy + 2)
    wrong = replace(track(number=1), xy=hand_xy((60, 60), 30))
    scene = Scene(np.zeros((480, 640, 3), np.uint8), "real", 0.2, xy)
    outcome, _ = look(scene, Seer((wrong,), (wrong,), (right,)), 0.2, 3)
    assert outcome == Outcome("real", 0.2, 3, 1)
    outcome, _ = look(replace(scene, xy=None), Seer((right,)), 0.2, 1)
    assert outcome.found_at is None and outcome.false_hands == 1


def test_table_by_hand() -> None:
    found = [
        Outcome("real", 0.1, 1, 0), Outcome("real", 0.5, 4, 1), Outcome("synthetic", 0.2, None, 0),
        Outcome("synthetic", 0.4, 7, 0), Outcome("nothing", 0.0, None, 2),
    ]  # fmt: skip
    rows = {line.split(" | ")[0].strip("| "): line for line in table(found, (1, 5, 10))}
    assert rows["all"] == "| all | 4 | 25.0 % | 50.0 % | 75.0 % | 0.250 |"
    assert rows["real"].startswith("| real | 2 | 50.0 % | 100.0 % | 100.0 % | 0.5")
    assert rows["15 to 30 %"].startswith("| 15 to 30 % | 1 | 0.0 %")
    assert rows["no hand"] == "| no hand | 1 |  |  |  | 2.000 |"


def write_data(folder: Path) -> None:
    """A hand in each set that is kept apart and one that is not, an empty square, and faces."""
    keypoints = np.column_stack([hand_xy((96, 100), 30), np.full(21, 2)]).flatten().tolist()
    for name in ("hands_real", "hands_synth", "faces_real"):
        (folder / name / "images").mkdir(parents=True)
        cv2.imwrite(str(folder / name / "images" / "a.png"), GRAY)
        images = [
            {"id": 1, "file_name": "images/a.png", "hand": True, "split": "holdout"},
            {"id": 2, "file_name": "images/b.png", "hand": True, "split": "train"},
            {"id": 3, "file_name": "images/a.png", "hand": False, "split": "holdout"},
        ]
        annotations = [{"image_id": i, "keypoints": keypoints} for i in (1, 2)]
        coco = {"images": images, "annotations": annotations}
        (folder / name / "labels.json").write_text(json.dumps(coco))
    for i in range(max(FACES) + 1):
        cv2.imwrite(str(folder / "faces_real" / "images" / f"{i:03}.webp"), GRAY[:8, :8])


def test_scenes_of_a_folder(tmp_path: Path) -> None:
    write_data(tmp_path)
    hands = read_hands(tmp_path)
    assert [h.source for h in hands] == ["real", "synthetic"], "only what is kept apart"
    assert len(read_backgrounds(tmp_path)) == 1 + len(FACES)
    made = list(scenes(tmp_path, 4, seed=3))
    assert [s.source for s in made] == ["real", "synthetic", "nothing"] * 2
    again = list(scenes(tmp_path, 4, seed=3))
    assert all((a.bgr == b.bgr).all() for a, b in zip(made, again, strict=True))
    for scene in made:
        assert scene.bgr.shape == (480, 640, 3)
        if scene.xy is not None:
            assert 0.06 <= scene.size <= 0.6
            assert np.ptp(scene.xy, axis=0).max() == pytest.approx(480 * scene.size, rel=1e-3)
            assert (scene.xy >= 0).all() and (scene.xy <= (640, 480)).all()


def test_a_hand_is_seen_where_its_landmarks_are(tmp_path: Path) -> None:
    """A white disc at the middle knuckle of a black picture lies there in the scene."""
    write_data(tmp_path)
    (hand, _) = read_hands(tmp_path)
    picture = np.zeros((192, 192, 3), np.uint8)
    cv2.circle(picture, hand.xy[9].round().astype(int).tolist(), 3, (255, 255, 255), -1)
    cv2.imwrite(str(hand.path), picture)
    scene = compose(hand, np.zeros((64, 64, 3), np.uint8), np.random.default_rng(0))
    y, x = np.nonzero(scene.bgr[..., 0] > 128)
    assert scene.xy is not None
    assert (x.mean(), y.mean()) == pytest.approx(scene.xy[9].tolist(), abs=1.5)
