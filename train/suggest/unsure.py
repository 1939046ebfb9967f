"""A guess where a network is sure of nothing: something to drag is better than an empty frame.

Looked at are, with no demand on what is found there: what a detector takes for an object at a low
score, where the object was last, and the whole picture. Points beyond the frame are moved to its
rim, and every point is v = 1. Without a network the last object itself is the guess; before there
is either, nothing is known that could be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tracker.find.detectors import DETECTORS, Finder
from tracker.find.geometry import box_from_landmarks, letterbox
from tracker.find.locate import Model, is_plausible, locate
from tracker.types import CropBox, Image, Kind, Located
from train.project.labels import UNSURE, ObjectLabel

LOWEST = 0.05  # score of a detection that is looked at
MOST = 3  # detections


def low_finder(kind: Kind) -> Finder | None:
    """The kind's detector, with a low limit; None where it has none."""
    load = DETECTORS.get(kind)
    return None if load is None else load(2, LOWEST)


def places(
    frame_bgr: Image, model: Model, finder: Finder | None, near: Sequence[CropBox]
) -> list[CropBox]:
    """Where an object might be: the detector's boxes, those near by, and the whole picture."""
    found = [] if finder is None else finder.detect(frame_bgr)[:MOST]
    boxes = [] if finder is None else [finder.first_crop(d) for d in found]
    h, w = frame_bgr.shape[:2]
    whole = letterbox(frame_bgr.shape)
    corners = np.array([[0, 0], [w - 1, h - 1]], np.float32)
    upright = box_from_landmarks(model.info.kind, corners, 0.0, model.info.crop)
    return [*boxes, *near, whole, replace(upright, side=min(upright.side, 1.5 * whole.side))]


def best_of(frame_bgr: Image, model: Model, boxes: Sequence[CropBox]) -> Located | None:
    """What is most likely an object in these crops; looked at once more where it seems to lie."""
    first = [f for f in locate(frame_bgr, list(boxes), model) if np.isfinite(f.xy).any()]
    if not first:
        return None
    best = max(first, key=lambda f: _trust(f, frame_bgr))
    if not np.isfinite(best.xy).all():
        return best
    again = box_from_landmarks(best.kind, best.xy, rule=model.info.crop)
    if not 1 < again.side < 4 * max(frame_bgr.shape):
        return best
    second = locate(frame_bgr, [again], model)
    return max([best, *second], key=lambda f: _trust(f, frame_bgr))


def _trust(found: Located, frame_bgr: Image) -> float:
    whole = float(np.isfinite(found.xy).all()) * (1.0 if is_plausible(found, frame_bgr) else 0.1)
    return whole * max(float(found.presence), 1e-6) * float(np.nanmean(found.score))


def placed(
    found: Located | None, last: ObjectLabel | None, pairs: Sequence[tuple[int, int]], count: int,
    frame_bgr: Image,
) -> ObjectLabel | None:  # fmt: skip
    """The guess: of what was found its points, else the last object; None without either."""
    h, w = frame_bgr.shape[:2]
    most = np.array([w - 1, h - 1], np.float32)
    xy, v = np.full((count, 2), np.nan, np.float32), np.zeros(count, np.uint8)
    if found is not None:
        for i, j in pairs:
            if np.isfinite(found.xy[j]).all():
                xy[i], v[i] = np.clip(found.xy[j], 0, most), 1
    if not v.any() and last is not None:
        xy = np.clip(last.xy, 0, most).astype(np.float32)
        v = np.minimum(last.v, 1).astype(np.uint8)
    return ObjectLabel(1, xy, v, None, UNSURE) if v.any() else None
