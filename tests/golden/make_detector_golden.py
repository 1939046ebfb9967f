"""Make `face_picture.jpg` and `detector.json`. Run by hand; needs mediapipe and two files.

    python -m tests.golden.make_detector_golden astronaut.png hand_landmarker.task

The picture is a crop of NASA's portrait of the astronaut Eileen Collins, which is in the public
domain (NASA, https://flic.kr/p/r9qvLn) and comes as `skimage/data/astronaut.png` in every wheel of
scikit-image. The hand is drawn by `tests.helpers.drawn`. The golden values are MediaPipe's own
answers: its FaceDetector with the very face_detection.tflite that we ship, and its HandLandmarker.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

import assets
from tests.helpers.drawn import draw_hand

HERE = Path(__file__).parent
PICTURE = HERE / "face_picture.jpg"
WRIST, MIDDLE_KNUCKLE = 0, 9


def as_image(bgr: np.ndarray) -> Any:
    """MediaPipe's kind of picture."""
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb)


def in_pixels(points: Any, shape_hw: tuple[int, ...]) -> list[list[float]]:
    """MediaPipe counts from the corner of the first pixel; our pixel centres are integers."""
    h, w = shape_hw[:2]
    return [[round(p.x * w - 0.5, 3), round(p.y * h - 0.5, 3)] for p in points]


def face(bgr: np.ndarray) -> dict[str, Any]:
    """What FaceDetector finds."""
    model = assets.path("detectors/face_detection.tflite").read_bytes()
    options = vision.FaceDetectorOptions(base_options=BaseOptions(model_asset_buffer=model))
    with vision.FaceDetector.create_from_options(options) as detector:
        (found,) = detector.detect(as_image(bgr)).detections
    box = found.bounding_box
    return {
        "score": round(found.categories[0].score, 5),
        "xy": in_pixels(found.keypoints, bgr.shape),
        "rounded_box": [box.origin_x, box.origin_y, box.width, box.height],
    }


def hands(bundle: Path) -> dict[str, Any]:
    """Wrist and middle knuckle that HandLandmarker finds on two drawn hands, by their turn."""
    options = vision.HandLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=bundle.read_bytes())
    )
    answers = {}
    with vision.HandLandmarker.create_from_options(options) as landmarker:
        for turn in (0, 180):
            bgr = draw_hand(turn)
            (found,) = landmarker.detect(as_image(bgr)).hand_landmarks
            points = [found[WRIST], found[MIDDLE_KNUCKLE]]
            answers[str(turn)] = in_pixels(points, bgr.shape)
    return answers


def main(astronaut: Path, bundle: Path) -> None:
    """Cut the picture, ask MediaPipe, write both files."""
    image = cv2.imread(str(astronaut))
    cv2.imwrite(str(PICTURE), image[0:288, 70:358], [cv2.IMWRITE_JPEG_QUALITY, 88])
    body = {
        "mediapipe": mp.__version__,
        "face": face(cv2.imread(str(PICTURE))),
        "hand_turn_to_wrist_and_knuckle": hands(bundle),
    }
    (HERE / "detector.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
