"""Find hands and faces in a whole frame with MediaPipe's two detectors, run by LiteRT.

Both are single-shot detectors over a fixed grid of anchors. The frame is letterboxed into a
square; every anchor gives a score logit and, relative to its centre, a box and a few points, all
in pixels of that square. Neighbouring answers for one object are averaged by score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

import assets
from engines import Engine, load_engine
from tracker.find.geometry import apply, crop_to_frame, frame_to_crop
from tracker.types import CropBox, Detection, Floats, Image, Kind

OVERLAP = 0.3  # IoU from which two answers are one object
LOGIT_LIMIT = 80.0  # keeps exp() finite in float32


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """What a detector's file expects and answers."""

    kind: Kind
    file: str  # in assets/
    size: int  # input side, pixels
    low: float  # input value of black
    high: float  # input value of white
    grid: tuple[tuple[int, int], ...]  # stride in pixels, anchors per cell
    points: int


PALM = DetectorSpec(
    "hand", "detectors/palm_detection.tflite", 192, 0.0, 1.0, ((8, 2), (16, 6)), points=7
)
FACE = DetectorSpec(
    "face", "detectors/face_detection.tflite", 128, -1.0, 1.0, ((8, 2), (16, 6)), points=6
)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """M answers in crop pixels."""

    box_xyxy: Floats  # (M, 4)
    xy: Floats  # (M, P, 2)
    score: Floats  # (M,)


class Finder(Protocol):
    """Anything that finds objects in a whole frame."""

    def detect(self, frame_bgr: Image) -> list[Detection]:
        """Objects in an (H, W, 3) frame, best first, in frame pixels."""
        ...


class Detector:
    """One detector, ready to run."""

    def __init__(self, spec: DetectorSpec, engine: Engine, min_score: float = 0.5) -> None:
        """`min_score`: candidates below it are dropped."""
        self._spec, self._engine, self._min_score = spec, engine, min_score
        self._anchors = anchors(spec)

    def detect(self, frame_bgr: Image) -> list[Detection]:
        """Objects in an (H, W, 3) frame, best first, in frame pixels."""
        box = letterbox(frame_bgr.shape[:2])
        outputs = self._engine.run(network_input(self._spec, frame_bgr, box))
        raw, logits = sorted((a[0] for a in outputs.values()), key=lambda a: -a.shape[-1])
        found = decode(self._spec, raw, logits[:, 0], self._anchors, self._min_score)
        return to_frame(self._spec, merge(found), box)


def load_detector(spec: DetectorSpec, threads: int = 2, min_score: float = 0.5) -> Detector:
    """Check the bundled file's sum and load it."""
    return Detector(spec, load_engine(assets.checked_path(spec.file), threads), min_score)


def letterbox(shape_hw: tuple[int, ...]) -> CropBox:
    """The smallest upright square around the whole frame, centred."""
    h, w = shape_hw[:2]
    centre = np.array([(w - 1) / 2, (h - 1) / 2], np.float32)
    return CropBox(centre, float(max(h, w)), 0.0)


def network_input(spec: DetectorSpec, frame_bgr: Image, box: CropBox) -> Floats:
    """(1, S, S, 3) float32 RGB of the letterboxed frame, black outside."""
    crop = cv2.warpAffine(frame_bgr, frame_to_crop(box, spec.size), (spec.size, spec.size))
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32)
    return (rgb * ((spec.high - spec.low) / 255) + spec.low)[None].astype(np.float32)


def anchors(spec: DetectorSpec) -> Floats:
    """(A, 2) anchor centres in crop pixels, row by row, the finest grid first."""
    out = []
    for stride, count in spec.grid:
        # The network counts pixels from their corner; ours have their centres at integers.
        line = (np.arange(spec.size // stride) + 0.5) * stride - 0.5
        y, x = np.meshgrid(line, line, indexing="ij")
        out.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), count, axis=0))
    return np.concatenate(out).astype(np.float32)


def decode(
    spec: DetectorSpec, raw: Floats, logits: Floats, centres: Floats, min_score: float
) -> Candidates:
    """Raw network answers to the candidates that score at least `min_score`.

    raw: (A, 4 + 2P) offset of the box's centre, its width and height, then the points' offsets,
    all in pixels and the offsets from the anchor. logits, centres: (A,), (A, 2).
    """
    score = (1 / (1 + np.exp(-np.clip(logits, -LOGIT_LIMIT, LOGIT_LIMIT)))).astype(np.float32)
    keep = np.flatnonzero(score >= min_score)
    raw, centres = raw[keep], centres[keep]
    middle, half = centres + raw[:, :2], raw[:, 2:4] / 2
    xy = raw[:, 4:].reshape(-1, spec.points, 2) + centres[:, None]
    return Candidates(np.concatenate([middle - half, middle + half], 1), xy, score[keep])


def merge(found: Candidates) -> Candidates:
    """Average what overlaps the best by more than OVERLAP, weighted by score; best first.

    The average keeps the best one's score. Averages do not absorb further candidates.
    """
    left = np.argsort(-found.score, kind="stable")
    kept: list[tuple[Floats, Floats, float]] = []
    while len(left):
        near = iou(found.box_xyxy[left[0]], found.box_xyxy[left]) > OVERLAP
        near[0] = True  # also where its box is empty
        group = left[near]
        weight = found.score[group] / found.score[group].sum()
        kept.append(
            (
                np.tensordot(weight, found.box_xyxy[group], 1),
                np.tensordot(weight, found.xy[group], 1),
                float(found.score[left[0]]),
            )
        )
        left = left[~near]
    return Candidates(
        np.array([k[0] for k in kept], np.float32).reshape(-1, 4),
        np.array([k[1] for k in kept], np.float32).reshape(-1, *found.xy.shape[1:]),
        np.array([k[2] for k in kept], np.float32),
    )


def iou(box_xyxy: Floats, many_xyxy: Floats) -> NDArray[np.float64]:
    """Intersection over union of one box (4,) with many (M, 4)."""
    a, b = box_xyxy.astype(np.float64), many_xyxy.astype(np.float64)
    wh = np.clip(np.minimum(a[2:], b[:, 2:]) - np.maximum(a[:2], b[:, :2]), 0, None)
    common = wh.prod(1)
    union = (a[2:] - a[:2]).prod() + (b[:, 2:] - b[:, :2]).prod(1) - common
    ratio: NDArray[np.float64] = common / np.maximum(union, 1e-9)
    return ratio


def to_frame(spec: DetectorSpec, found: Candidates, box: CropBox) -> list[Detection]:
    """Candidates in pixels of the letterbox crop to detections in frame pixels."""
    matrix = crop_to_frame(box, spec.size)
    corners = apply(matrix, found.box_xyxy.reshape(-1, 2, 2)).reshape(-1, 4)
    points = apply(matrix, found.xy)
    return [
        Detection(spec.kind, corners[i], float(found.score[i]), points[i])
        for i in range(len(found.score))
    ]
