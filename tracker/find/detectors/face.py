"""MediaPipe's face detector for cameras near by."""

from __future__ import annotations

import numpy as np

from tracker.find.detectors.single_shot import Detector, DetectorSpec, crop_beside, load_detector
from tracker.types import CropBox, Detection

RIGHT_EYE, LEFT_EYE = 0, 1  # of the detector's six points, the person's own


def first_crop(found: Detection) -> CropBox:
    """From a face, box and points, to the crop of its landmarks.

    Brings the detector's box onto what `box_from_landmarks` gives. Measured medians (10th to 90th
    percentile or standard deviation) on 1,813 faces: scale 1.335 (1.24 to 1.46), shift
    (0.01, 0.07) +- (0.03, 0.04), angle off by 2.4 degrees (90 %: 6.3).
    """
    across = found.xy[LEFT_EYE].astype(np.float64) - found.xy[RIGHT_EYE]
    angle = float(np.rad2deg(np.arctan2(across[1], across[0])))
    return crop_beside(found, angle, (0.0, 0.07), 1.335)


FACE = DetectorSpec(
    "face", "detectors/face_detection.tflite", 128, -1.0, 1.0, ((8, 2), (16, 6)), 6, first_crop
)


def load(threads: int = 2, min_score: float = 0.5) -> Detector:
    """Check the bundled file's sum and load it."""
    return load_detector(FACE, threads, min_score)
