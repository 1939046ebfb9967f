"""Points of one object followed from a frame to the next one: optical flow, there and back.

Pure functions on arrays. Lengths are shares of the object's side (the longer side of its points'
box), so that near and far objects are followed alike: pictures are cut around the object and scaled
until its side is FINE pixels. Flow is Lucas and Kanade's with pyramids (Bouguet 2000, OpenCV's).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.types import Floats, Image

LABEL = 0.005  # sides by which a label by hand may be off
FINE = 192.0  # pixels, an object's side as flow sees it
REACH = 1.0  # object sides beyond the points that are cut out on each side
WINDOW, LEVELS = 21, 3  # pixels at that size; of the pyramid
DRIFT = 0.004  # sides; what a step adds to the error at best
# What a step adds to the variance for each side that a point moves: flow strays as it goes, and way
# and way back stray alike, so that they do not tell. Measured: docs/measured.md.
MOVED = 0.003  # sides
GONE = 0.06  # sides; what a step adds where flow did not come back, or the point is hidden
ASTRAY = 0.08  # sides between a point and its way there and back, from which it counts as lost
FARTHEST = 0.6  # sides a point may move in a step
NEAR = 0.05  # sides; a point that lies nearer to the truth than this is right
ALIKE = 0.5  # of a second opinion's variance; asked again and again it tells no more than this
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Where an object's points are believed to be in a frame."""

    xy: Floats  # (K, 2) frame pixels, NaN where never labelled
    variance: Floats  # (K,) of either coordinate, in squared sides; inf where never labelled
    seen: Mask  # (K,) labelled as visible; the others go with these
    side: float  # frame pixels
    came_from: tuple[int, ...] = ()  # frames that are labelled

    @property
    def confidence(self) -> Floats:
        """(K,) probability that a point lies within NEAR sides of the truth, were the errors
        normally distributed with that variance (Rayleigh); 0 where never labelled.
        """
        found = 1 - np.exp(-(NEAR**2) / (2 * np.maximum(self.variance, 1e-12)))
        return np.asarray(np.where(np.isfinite(self.xy).all(1), found, 0.0), np.float32)


def labelled(xy: Floats, v: NDArray[np.uint8], frame: int = 0) -> Followed:
    """The beginning: points (K, 2) with COCO's v (K,), labelled in this frame, off by LABEL sides.

    ValueError where fewer than two are labelled, or all lie in one place.
    """
    known = v > 0
    points = np.where(known[:, None], xy, np.nan).astype(np.float32)
    if known.sum() < 2:
        raise ValueError("an object needs two labelled points to be followed")
    side = side_of(points)
    if side < 1:
        raise ValueError("points that all lie in one place cannot be followed")
    variance = np.where(known, LABEL**2, np.inf).astype(np.float32)
    return Followed(points, variance, v == 2, side, (frame,))


def as_sure(now: Followed, confidence: Floats) -> Followed:
    """The same, its points no surer than (K,) that: they were followed here from other frames."""
    with np.errstate(divide="ignore"):
        variance = NEAR**2 / (-2 * np.log1p(-np.minimum(confidence.astype(np.float64), 1.0)))
    return replace(now, variance=np.maximum(now.variance, variance).astype(np.float32))


def side_of(xy: Floats) -> float:
    """The longer side of the points' box, frame pixels; NaN rows are ignored."""
    return float((np.nanmax(xy, 0) - np.nanmin(xy, 0)).max())


def followed(now: Followed, before_bgr: Image, after_bgr: Image) -> Followed:
    """The same object in the next frame (H, W, 3); both frames have one size.

    A point whose way back does not lead to where it came from, and a hidden one, goes where the
    others' common motion (shift, turn, scale) takes it, and is less sure by GONE.
    """
    at = np.isfinite(now.xy).all(1)
    matrix, size = _window(now)
    there = _there_and_back(now.xy[at], _cut(before_bgr, matrix, size),
                            _cut(after_bgr, matrix, size), matrix)  # fmt: skip
    moved, astray = there[0], there[1] / now.side
    way = np.linalg.norm(moved - now.xy[at], axis=1) / now.side
    good = now.seen[at] & (astray < ASTRAY) & (way < FARTHEST)
    common = _common(now.xy[at], moved, good)
    xy, variance = now.xy.copy(), now.variance.copy()
    xy[at] = np.where(good[:, None], moved, common)
    added = np.where(good, DRIFT**2 + MOVED * way + astray**2, GONE**2)
    variance[at] += added.astype(np.float32)
    # The side goes with the common motion, not with points that strayed.
    side = now.side * _growth(now.xy[at], common)
    return replace(now, xy=xy.astype(np.float32), variance=variance, side=side)


def corrected(now: Followed, xy: Floats, error: Floats) -> Followed:
    """What a second opinion makes of it: points (K, 2), NaN where it has none, off by `error` (K,).

    Where both agree they are averaged by their variances (a Kalman filter's update), but what is
    off in one frame is off in the next one too: points get no surer than ALIKE of the opinion's
    variance. Where they are farther apart than three times what both expect, the points stay, and
    are less sure.
    """
    known = np.isfinite(now.xy).all(1) & np.isfinite(xy).all(1) & np.isfinite(error)
    apart = np.linalg.norm(np.where(known[:, None], xy - now.xy, 0), axis=1) / now.side
    other = np.where(known, error, np.inf).astype(np.float64) ** 2
    mine = now.variance.astype(np.float64)
    is_far = known & (apart**2 > 9 * 2 * (mine + np.where(known, other, 0)))
    gain = np.where(known & ~is_far, mine / (mine + other), 0.0)
    new = now.xy + gain[:, None] * np.where(known[:, None], xy - now.xy, 0)
    agreed = np.maximum((1 - gain) * mine, np.minimum(mine, ALIKE * other))
    variance = np.where(is_far, mine + (apart / 6) ** 2, agreed)
    return replace(now, xy=new.astype(np.float32), variance=variance.astype(np.float32))


def between(a: Followed, b: Followed) -> Followed:
    """One object followed to the same frame from a label before it and from one after it.

    Averaged by their variances; where they disagree, both were too sure, and the mean is less so.
    """
    only_a, only_b = ~np.isfinite(b.xy).all(1), ~np.isfinite(a.xy).all(1)
    va, vb = a.variance.astype(np.float64), b.variance.astype(np.float64)
    with np.errstate(invalid="ignore"):
        share = np.where(only_a, 1.0, np.where(only_b, 0.0, vb / (va + vb)))[:, None]
        apart = np.linalg.norm(a.xy - b.xy, axis=1) / (0.5 * (a.side + b.side))
        # The square of their distance is expected to be 2 (va + vb); beyond, both were too sure.
        too_sure = np.maximum(apart**2 / (2 * (va + vb)), 1.0)
        nearer = np.minimum(va, vb) / (va + vb)
        both = too_sure * va * vb / (va + vb) + nearer * (apart / 2) ** 2
    xy = share * np.nan_to_num(a.xy) + (1 - share) * np.nan_to_num(b.xy)
    xy[only_a & only_b] = np.nan
    variance = np.where(only_a, va, np.where(only_b, vb, both))
    either = np.where(va <= vb, a.seen, b.seen)
    seen = np.where(only_a, a.seen, np.where(only_b, b.seen, either))
    return Followed(
        xy.astype(np.float32), variance.astype(np.float32), seen.astype(bool),
        0.5 * (a.side + b.side), (*a.came_from, *b.came_from),
    )  # fmt: skip


def _window(now: Followed) -> tuple[NDArray[np.float64], int]:
    """A matrix (2, 3) from frame pixels to those of the cut (centres at integers), and its side."""
    low, high = np.nanmin(now.xy, 0), np.nanmax(now.xy, 0)
    scale = min(FINE / now.side, 2.0)
    size = int(np.ceil((float((high - low).max()) + 2 * REACH * now.side) * scale))
    size = int(np.clip(size, 64, 6 * FINE))
    shift = (size - 1) / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64), size


def _cut(bgr: Image, matrix: NDArray[np.float64], size: int) -> Image:
    """That part of a frame in gray; beyond the frame its edge goes on."""
    scale, shift = matrix[0, 0], matrix[:, 2]
    most = np.array(bgr.shape[1::-1])
    low = np.clip(np.floor(-shift / scale) - 8, 0, most - 1).astype(int)
    high = np.clip(np.ceil((size - shift) / scale) + 8, low + 1, most).astype(int)
    part = bgr[low[1] : high[1], low[0] : high[0]]
    if scale < 0.5:  # without this, thin lines flicker from one frame to the next
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.4 / scale), np.uint8)
    inside = np.array([[scale, 0, 0], [0, scale, 0]])
    inside[:, 2] = shift + scale * low
    drawn = cv2.warpAffine(part, inside, (size, size), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2GRAY), np.uint8)


def _there_and_back(
    xy: Floats, before: Image, after: Image, matrix: NDArray[np.float64]
) -> tuple[Floats, Floats]:
    """Where flow takes points (P, 2), and how far (P,) its way back ends from them; frame pixels.

    Infinitely far where it found no way.
    """
    scale, shift = matrix[0, 0], matrix[:, 2]
    start = (xy * scale + shift).astype(np.float32).reshape(-1, 1, 2)
    how = {"winSize": (WINDOW, WINDOW), "maxLevel": LEVELS}
    end, found, _ = cv2.calcOpticalFlowPyrLK(before, after, start, None, **how)  # type: ignore[call-overload]
    back, again, _ = cv2.calcOpticalFlowPyrLK(after, before, end, None, **how)  # type: ignore[call-overload]
    astray = np.linalg.norm((back - start).reshape(-1, 2), axis=1) / scale
    lost = (found.ravel() == 0) | (again.ravel() == 0)
    astray[lost] = np.inf
    return ((end.reshape(-1, 2) - shift) / scale).astype(np.float32), astray.astype(np.float32)


def _common(xy: Floats, moved: Floats, good: Mask) -> Floats:
    """Where the common motion of the good points takes all (P, 2): a similarity, by RANSAC."""
    if good.sum() < 3:
        shift = np.median(moved[good] - xy[good], 0) if good.any() else np.zeros(2)
        return np.asarray(xy + shift, np.float32)
    size = max(side_of(xy), 1.0)
    matrix, _ = cv2.estimateAffinePartial2D(
        xy[good], moved[good], ransacReprojThreshold=max(0.02 * size, 1.0)
    )
    if matrix is None or not np.isfinite(matrix).all():
        return np.asarray(xy + np.median(moved[good] - xy[good], 0), np.float32)
    return np.asarray(xy @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _growth(xy: Floats, common: Floats) -> float:
    """How much larger the common motion makes the object; 1 where that cannot be told."""
    if len(xy) < 2:
        return 1.0
    old, new = (p - p.mean(0) for p in (xy, common))
    ratio = float(np.sqrt((new**2).sum() / max(float((old**2).sum()), 1e-9)))
    return float(np.clip(ratio, 0.8, 1.25))
