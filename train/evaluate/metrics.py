"""Errors of landmarks: NME, PCK, AUC, CED. Pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def point_errors(xy: Array, target: Array, labelled: NDArray[np.bool_]) -> Array:
    """Distances (N, K) in pixels; NaN where a point is not labelled."""
    distance = np.linalg.norm(xy - target, axis=-1)
    return np.where(labelled, distance, np.nan)


def normalisers(target: Array, labelled: NDArray[np.bool_], pair: Sequence[int] = ()) -> Array:
    """(N,) lengths: between two landmarks, or the longer side of the labelled points' box.

    NaN where the two landmarks (or any point) are not labelled.
    """
    if len(pair) == 2:
        a, b = pair
        both = labelled[:, a] & labelled[:, b]
        length = np.linalg.norm(target[:, a] - target[:, b], axis=-1)
        return np.where(both & (length > 0), length, np.nan)
    points = np.where(labelled[..., None], target, np.nan)
    out = np.full(len(points), np.nan)
    for i, p in enumerate(points):
        p = p[np.isfinite(p).all(1)]
        if len(p) >= 2:
            out[i] = max(float((p.max(0) - p.min(0)).max()), 1e-9)
    return out


def nme_per_image(errors: Array, lengths: Array) -> Array:
    """(N,) mean error of an image's labelled points / its normaliser, in %; NaN: nothing known."""
    known = np.isfinite(errors)
    count = known.sum(1)
    total = np.where(known, errors, 0).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Array = 100 * total / np.where(count > 0, count, np.nan) / lengths
    return out


def nme(errors: Array, lengths: Array) -> float:
    """Mean over images of `nme_per_image`, in %."""
    each = nme_per_image(errors, lengths)
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def pck(errors: Array, lengths: Array, share: float) -> float:
    """Share [0, 1] of labelled points whose error is within `share` x normaliser."""
    relative = errors / lengths[:, None]
    known = np.isfinite(relative)
    return float((relative[known] <= share).mean()) if known.any() else float("nan")


def ced(per_image: Array, limit: float, steps: int = 200) -> tuple[Array, Array]:
    """Cumulative error distribution: NME thresholds (%) and share of images at or below each."""
    known = per_image[np.isfinite(per_image)]
    x = np.linspace(0, limit, steps + 1)
    return x, np.array([(known <= t).mean() if len(known) else np.nan for t in x])


def auc(per_image: Array, limit: float) -> float:
    """Area under the CED up to `limit` (%), divided by it: 1 is perfect.

    Exact: the CED is a staircase, so the area is the mean of (limit - error) over images.
    """
    known = per_image[np.isfinite(per_image)]
    return float(np.clip(limit - known, 0, None).mean() / limit) if len(known) else float("nan")


def confusion(
    target: NDArray[np.int64], guess: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """(classes, classes) counts, rows are the truth; targets below 0 are left out."""
    known = target >= 0
    flat = target[known] * classes + guess[known]
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)
