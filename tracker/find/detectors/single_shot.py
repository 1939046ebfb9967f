"""What MediaPipe's two detectors have in common: single-shot networks, run by LiteRT.

They answer over a fixed grid of anchors. The frame is letterboxed into a
square; every anchor gives a score logit and, relative to its centre, a box and a few points, all
in pixels of that square. Neighbouring answers for one object are averaged by score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

import assets
from engines import Engine, load_engine
from tracker.find.geometry import (
    apply,
    crop_to_frame,
    iou,
    letterbox,
    rotation,
)
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
    first_crop: Callable[[Detection], CropBox]  # before any landmark is known


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """M answers in crop pixels."""

    box_xyxy: Floats  # (M, 4)
    xy: Floats  # (M, P, 2)
    score: Floats  # (M,)


class Detector:
    """One detector, ready to run."""

    def __init__(self, spec: DetectorSpec, engine: Engine, min_score: float = 0.5) -> None:
        """`min_score`: candidates below it are dropped."""
        self._spec, self._engine, self._min_score = spec, engine, min_score
        self._anchors = anchors(spec)
        self.name = spec.file.rpartition("/")[2]

    def detect(self, frame_bgr: Image) -> list[Detection]:
        """Objects in an (H, W, 3) frame, best first, in frame pixels."""
        box = letterbox(frame_bgr.shape[:2])
        outputs = self._engine.run(squared_input(self._spec, frame_bgr, box))
        raw, logits = sorted((a[0] for a in outputs.values()), key=lambda a: -a.shape[-1])
        found = decode(self._spec, raw, logits[:, 0], self._anchors, self._min_score)
        return to_frame(self._spec, merge(found), box)

    def first_crop(self, found: Detection) -> CropBox:
        """Where the network looks first for the landmarks of what was found."""
        return self._spec.first_crop(found)


def load_detector(spec: DetectorSpec, threads: int = 2, min_score: float = 0.5) -> Detector:
    """Check the bundled file's sum and load it."""
    return Detector(spec, load_engine(assets.checked_path(spec.file), threads), min_score)


def squared_input(spec: DetectorSpec, frame_bgr: Image, box: CropBox) -> Floats:
    """(1, S, S, 3) float32 RGB of the letterboxed frame, black outside."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size_wh = (spec.size, spec.size)
    crop = cv2.warpAffine(frame_bgr, crop_to_frame(box, spec.size), size_wh, flags=flags)
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32)
    rgb *= (spec.high - spec.low) / 255
    rgb += spec.low
    return rgb[None]


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


def to_frame(spec: DetectorSpec, found: Candidates, box: CropBox) -> list[Detection]:
    """Candidates in pixels of the letterbox crop to detections in frame pixels."""
    matrix = crop_to_frame(box, spec.size)
    corners = apply(matrix, found.box_xyxy.reshape(-1, 2, 2)).reshape(-1, 4)
    points = apply(matrix, found.xy)
    return [
        Detection(spec.kind, corners[i], float(found.score[i]), points[i])
        for i in range(len(found.score))
    ]


def crop_beside(
    found: Detection, angle: float, shift: tuple[float, float], scale: float
) -> CropBox:
    """The crop at `shift` of the detector's box and `scale` times as large, turned by `angle`.

    The shift is along the crop's own axes, and like the scale in longer sides of the box.
    """
    x0, y0, x1, y1 = (float(v) for v in found.box_xyxy)
    centre, side = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), max(x1 - x0, y1 - y0)
    centre = centre + rotation(angle) @ np.array(shift) * side
    return CropBox(centre.astype(np.float32), side * scale, angle)
