"""Which of many frames to label next: pure functions, no file, no clock.

Two things make a frame worth its minute of labelling. The network is unsure of it: its landmarks
do not move along when the crop is turned, scaled and shifted (the paper's equivariance, ELT, read
as a measure instead of a loss). And it is unlike the frames already labelled or chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tracker.find.geometry import apply, frame_to_crop
from tracker.types import CropBox, Floats, Image

LOOK = 16  # side of the small gray picture that says what a crop looks like
CEILING = 0.95  # disagreements above this quantile count as that much: often no object at all
NEARBY = 2.0  # seconds; frames of one clip within this time show much the same


@dataclass(frozen=True, slots=True)
class WarpSpec:
    """The warps of the measure; ranges as `train.config.EltSpec`."""

    count: int = 6
    rotate: float = 25.0  # degrees, uniform in +-
    scale: float = 0.15  # log-uniform in exp(+-scale)
    shift: float = 0.08  # of the crop's side, uniform in +- per axis
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """N frames to choose from, or M known ones to stay away from. NaN where there is no object."""

    value: Floats  # (N,) how unsure the network is there; any unit
    place: NDArray[np.int64]  # (N,) number of the clip
    t: NDArray[np.float64]  # (N,) seconds in the clip
    shape: Floats  # (N, K, 2) landmarks of the object, any pixels
    look: Floats  # (N, LOOK * LOOK) as `look_of` gives


def warped_boxes(box: CropBox, spec: WarpSpec) -> list[CropBox]:
    """`spec.count` crops about `box`, turned, scaled and shifted; the same for every box, so that
    frames are compared fairly.

    To cut such a crop from the frame is to warp the first crop, only without its black rim.
    """
    rng = np.random.default_rng(spec.seed)
    boxes = []
    for _ in range(spec.count):
        angle = box.angle + float(rng.uniform(-spec.rotate, spec.rotate))
        side = box.side * float(np.exp(rng.uniform(-spec.scale, spec.scale)))
        shift = rng.uniform(-spec.shift, spec.shift, 2) * box.side
        boxes.append(CropBox((box.centre_xy + shift).astype(np.float32), side, angle))
    return boxes


def disagreement(
    xy: Floats, xy_warped: Floats, box: CropBox, boxes: Sequence[CropBox]
) -> NDArray[np.float32]:
    """(K,) mean distance of T(predict(x)) and predict(T(x)) over warps T, in % of the crop's side.

    xy (K, 2) from `box` and xy_warped (M, K, 2) from `boxes`, all in frame pixels. Landmarks that
    leave a warped crop are left out, as in the loss; NaN where one leaves all of them.
    """
    inside = np.stack([_inside(xy, b) for b in boxes])
    distance = np.linalg.norm(xy_warped - xy, axis=-1) / box.side * 100
    count = inside.sum(0)
    total = np.where(inside, distance, 0).sum(0)
    mean = total / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan).astype(np.float32)


def _inside(xy: Floats, box: CropBox) -> NDArray[np.bool_]:
    unit = apply(frame_to_crop(box, 1), xy)  # the crop is [-0.5, 0.5] in both axes
    return np.asarray((np.abs(unit) < 0.5).all(-1))


def look_of(crop_bgr: Image) -> Floats:
    """(LOOK * LOOK,) small gray picture of a crop without brightness and contrast, length 1."""
    gray = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(gray, (LOOK, LOOK), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return (small / max(float(np.linalg.norm(small)), 1e-6)).astype(np.float32)


def normalised_shape(xy: ArrayLike) -> NDArray[np.complex128]:
    """(..., K, 2) landmarks as complex numbers with mean 0 and length 1 (0 where one is NaN)."""
    points = np.asarray(xy, np.float64)
    if not points.size:
        return np.zeros(points.shape[:-1], np.complex128)
    points = np.where(np.isfinite(points).all((-1, -2), keepdims=True), points, 0)
    flat = points[..., 0] + 1j * points[..., 1]
    flat = flat - flat.mean(-1, keepdims=True)
    length = np.linalg.norm(flat, axis=-1, keepdims=True)
    return np.asarray(flat / np.maximum(length, 1e-12))


def shape_distance(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """(N, M) distance in [0, 1] of shapes (N, K, 2) and (M, K, 2) after the best shift, scale and
    turn (full Procrustes distance, sqrt(1 - |<a, b>|^2)); NaN where a shape has NaN.
    """
    known = np.isfinite(np.asarray(a)).all((-1, -2))[:, None]
    known = known & np.isfinite(np.asarray(b)).all((-1, -2))[None]
    overlap = np.abs(normalised_shape(a) @ normalised_shape(b).conj().T)
    distance = np.sqrt(np.clip(1 - overlap**2, 0, 1))
    return np.where(known, distance, np.nan)


def look_distance(a: Floats, b: Floats) -> NDArray[np.float64]:
    """(N, M) distance in [0, sqrt 2] of looks of length 1; NaN where a look is NaN."""
    overlap = np.asarray(a, np.float64) @ np.asarray(b, np.float64).T
    return np.sqrt(np.clip(1 - overlap, 0, 2))


def alikeness(a: Candidates, b: Candidates, scales: tuple[float, float]) -> NDArray[np.float64]:
    """(N, M) in [0, 1]: 1 for the same frame, or for the same pose that looks the same.

    `scales`: shape and look distances that count as 'rather different'. Where only one of the two
    is known, it decides.
    """
    shape = _near(shape_distance(a.shape, b.shape), scales[0])
    look = _near(look_distance(a.look, b.look), scales[1])
    shape, look = np.where(np.isnan(shape), look, shape), np.where(np.isnan(look), shape, look)
    alike = np.nan_to_num(shape * look)
    together = a.place[:, None] == b.place[None]
    soon = np.where(together, _near(np.abs(a.t[:, None] - b.t[None]), NEARBY), 0)
    return np.maximum(alike, soon)


def _near(distance: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    return np.exp(-((distance / max(scale, 1e-9)) ** 2))


def typical_scales(c: Candidates) -> tuple[float, float]:
    """Half the median shape and look distance among the candidates: no markup needs its own."""
    upper = np.triu_indices(len(c.t), 1)
    found = []
    for distance in (shape_distance(c.shape, c.shape), look_distance(c.look, c.look)):
        known = distance[upper][np.isfinite(distance[upper])]
        found.append(0.5 * float(np.median(known)) if known.size else 1.0)
    return found[0], found[1]


def capped(values: ArrayLike) -> Floats:
    """Values up to their CEILING quantile."""
    found = np.asarray(values, np.float32)
    return np.minimum(found, np.quantile(found, CEILING)) if len(found) else found


def choose(candidates: Candidates, known: Candidates, count: int) -> list[tuple[int, float]]:
    """Rows of the best `count` candidates, best first, each with its newness in [0, 1].

    Greedy: value times newness, which falls with the likeness to the known frames and to those
    chosen before. Ties go to the earlier row.
    """
    if not len(candidates.t):
        return []
    value = candidates.value.astype(np.float64)
    scales = typical_scales(candidates)
    new = np.ones(len(value))
    if len(known.t):
        new = 1 - alikeness(candidates, known, scales).max(1)
    among = alikeness(candidates, candidates, scales)
    chosen: list[tuple[int, float]] = []
    free = np.ones(len(value), bool)
    while len(chosen) < count and free.any():
        best = int(np.argmax(np.where(free, value * new, -1)))
        chosen.append((best, float(new[best])))
        free[best] = False
        new = np.minimum(new, 1 - among[best])
    return chosen
