from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.drawn import draw_hand
from tracker.find.detectors.face import FACE
from tracker.find.detectors.palm import PALM
from tracker.find.detectors.single_shot import (
    Candidates,
    Detector,
    DetectorSpec,
    anchors,
    decode,
    load_detector,
    merge,
    squared_input,
    to_frame,
)
from tracker.find.geometry import iou, letterbox
from tracker.types import CropBox

GOLDEN = Path(__file__).parents[4] / "tests/golden"


@pytest.fixture(scope="module")
def golden() -> dict:
    return json.loads((GOLDEN / "detector.json").read_text())


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.imread(str(GOLDEN / "face_picture.jpg"))


def test_anchors_by_hand() -> None:
    """Palm: 24 x 24 cells of 8 px with 2 anchors, then 12 x 12 cells of 16 px with 6."""
    a = anchors(PALM)
    assert a.shape == (24 * 24 * 2 + 12 * 12 * 6, 2) == (2016, 2)
    assert a[:3].tolist() == [[3.5, 3.5], [3.5, 3.5], [11.5, 3.5]]
    assert a[24 * 2].tolist() == [3.5, 11.5]  # second row
    assert a[1152].tolist() == a[1157].tolist() == [7.5, 7.5] and a[1158].tolist() == [23.5, 7.5]
    assert anchors(FACE).shape == (896, 2)


def test_decode_by_hand() -> None:
    spec = replace(PALM, points=1)
    raw = np.array([[2, -1, 10, 20, 3, 4], [0] * 6, [0] * 6], np.float32)
    centres = np.array([[50, 60], [0, 0], [0, 0]], np.float32)
    logits = np.array([0.0, -0.01, -1e9], np.float32)
    with np.errstate(all="raise"):
        found = decode(spec, raw, logits, centres, min_score=0.5)
    assert found.box_xyxy.tolist() == [[47, 49, 57, 69]]
    assert found.xy.tolist() == [[[53, 64]]]
    assert found.score.tolist() == [0.5]


def test_merge_by_hand() -> None:
    """The second overlaps the first, the third neither, the fourth is alone."""
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10], [9, 0, 19, 10]], np.float32)
    found = Candidates(boxes, boxes[:, None, :2], np.array([0.6, 0.9, 0.7, 0.5], np.float32))
    merged = merge(found)
    assert merged.score == pytest.approx([0.9, 0.7, 0.5])
    # weights 0.9 and 0.6: x = 0.6 * 1 + 0.4 * 0
    assert merged.box_xyxy[0] == pytest.approx([0.6, 0, 10.6, 10])
    assert merged.xy[0, 0] == pytest.approx([0.6, 0])
    assert merged.box_xyxy[1:] == pytest.approx(boxes[[2, 3]])


def test_nothing_merges_to_nothing() -> None:
    none = Candidates(np.zeros((0, 4)), np.zeros((0, 7, 2)), np.zeros(0))
    assert merge(none).xy.shape == (0, 7, 2)
    assert to_frame(PALM, merge(none), letterbox((10, 20))) == []


def test_an_empty_box_ends() -> None:
    flat = Candidates(np.zeros((2, 4)), np.zeros((2, 1, 2)), np.ones(2))
    assert len(merge(flat).score) == 2


def test_iou() -> None:
    many = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])
    assert iou(np.array([0, 0, 2, 2]), many) == pytest.approx([1, 1 / 3, 0])


def test_letterbox_covers_the_frame_centred() -> None:
    box = letterbox((40, 80, 3))
    assert (box.centre_xy.tolist(), box.side, box.angle) == ([39.5, 19.5], 80, 0)
    picture = squared_input(replace(FACE, size=8), np.full((40, 80, 3), 255, np.uint8), box)
    assert picture.shape == (1, 8, 8, 3)
    assert picture[0, :, 4, 0].tolist() == [-1, -1, 1, 1, 1, 1, -1, -1]  # black bars: -1


def test_input_is_rgb_in_the_stated_range() -> None:
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 0] = 255
    assert squared_input(replace(PALM, size=8), blue, letterbox((16, 16)))[0, 3, 3].tolist() == [
        0, 0, 1,
    ]  # fmt: skip


def test_pixels_of_the_crop_go_back_to_the_frame() -> None:
    """The middle of a 192 px input is the middle of the frame, one input pixel is 80 / 192."""
    found = Candidates(
        np.array([[95.5, 95.5, 191.5, 143.5]], np.float32),
        np.array([[[95.5, 95.5]]], np.float32),
        np.array([0.5], np.float32),
    )
    detection = to_frame(PALM, found, letterbox((40, 80)))[0]
    assert detection.box_xyxy == pytest.approx([39.5, 19.5, 79.5, 39.5], abs=1e-3)
    assert detection.xy[0] == pytest.approx([39.5, 19.5], abs=1e-3)


def as_mediapipe_samples(spec: DetectorSpec, frame: np.ndarray, box: CropBox) -> np.ndarray:
    """MediaPipe lays the corners of pixel areas on pixel centres: a shift by half a pixel."""
    step = box.side / spec.size
    left_top = box.centre_xy + 0.5 - box.side / 2
    matrix = np.array([[step, 0, left_top[0]], [0, step, left_top[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(frame, matrix, (spec.size, spec.size), flags=flags)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32)
    return (rgb * ((spec.high - spec.low) / 255) + spec.low)[None]


def test_equals_mediapipe_when_sampled_as_mediapipe_does(
    golden: dict, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.find.detectors.single_shot.squared_input", as_mediapipe_samples)
    (found,) = load_detector(FACE, 1).detect(portrait)
    assert found.score == pytest.approx(golden["face"]["score"], abs=2e-3)
    assert found.xy == pytest.approx(np.array(golden["face"]["xy"]), abs=0.1)
    x, y, w, h = golden["face"]["rounded_box"]
    x0, y0, x1, y1 = found.box_xyxy + 0.5
    assert [x0, y0, x1 - x0, y1 - y0] == pytest.approx([x, y, w, h], abs=1)  # they round down


def test_stays_near_mediapipe_with_true_sampling(golden: dict, portrait: np.ndarray) -> None:
    """Half an input pixel is 1.1 px here."""
    (found,) = load_detector(FACE, 1).detect(portrait)
    assert found.score == pytest.approx(golden["face"]["score"], abs=0.03)
    assert found.xy == pytest.approx(np.array(golden["face"]["xy"]), abs=2.5)


def test_no_bias_to_one_side(portrait: np.ndarray) -> None:
    """The mirrored picture gives the mirrored face."""
    detector = load_detector(FACE, 1)
    found = detector.detect(portrait)[0]
    mirrored = detector.detect(np.ascontiguousarray(portrait[:, ::-1]))[0]
    back = portrait.shape[1] - 1 - mirrored.xy[[1, 0, 2, 3, 5, 4], 0]
    assert float((back - found.xy[:, 0]).mean()) == pytest.approx(0, abs=1.2)


@pytest.mark.parametrize("turn", [0, 90, 180])
def test_a_drawn_hand(turn: int) -> None:
    """Found at its place, with its direction; one input pixel is 2.5 px."""
    detector = load_detector(PALM, 1, min_score=0.4)
    (found,) = detector.detect(draw_hand(turn))
    box = detector.first_crop(found)
    a = np.deg2rad(turn)
    middle = np.array([240, 180]) + 15 * np.array([np.sin(a), -np.cos(a)])
    assert np.linalg.norm(box.centre_xy - middle) < 25
    assert 110 < box.side < 220
    assert abs((box.angle - turn + 180) % 360 - 180) < 15


@pytest.mark.parametrize("turn", ["0", "180"])
def test_palm_points_lie_where_mediapipe_has_the_landmarks(golden: dict, turn: str) -> None:
    wrist_knuckle = np.array(golden["hand_turn_to_wrist_and_knuckle"][turn])
    (found,) = load_detector(PALM, 1, min_score=0.4).detect(draw_hand(int(turn)))
    length = np.linalg.norm(wrist_knuckle[1] - wrist_knuckle[0])
    off = np.linalg.norm(found.xy[[0, 2]] - wrist_knuckle, axis=1)
    assert off.max() < 0.2 * length


def test_an_empty_frame_is_an_empty_list() -> None:
    for spec in (PALM, FACE):
        assert load_detector(spec, 1).detect(np.zeros((30, 50, 3), np.uint8)) == []


def test_outputs_are_told_apart_by_width() -> None:
    """Whatever order and names the file gives its two outputs."""

    class Fake:
        provider, threads, props = "fake", 1, {}

        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            logits = np.full((1, 896, 1), -9, np.float32)
            logits[0, 0] = 9
            return {"a": logits, "b": np.ones((1, 896, 16), np.float32)}

    (found,) = Detector(FACE, Fake()).detect(np.zeros((128, 128, 3), np.uint8))
    assert found.box_xyxy == pytest.approx([4, 4, 5, 5])
    assert found.xy[0] == pytest.approx([4.5, 4.5])
