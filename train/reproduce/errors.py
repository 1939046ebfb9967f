"""Errors of a model on a test set as the paper measures them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.config import FitSpec
from train.evaluate import metrics
from train.evaluate.outputs import Outputs, attribute_summary
from train.reproduce.whole_pixels import photo_ends, whole_pixel_errors
from train.sets.base import Metric, PaperSet

Array = NDArray[np.float64]


def best_order(xy: Array, target: Array) -> tuple[int, ...]:
    """Which predicted landmark belongs to which true one, for all images alike.

    xy, target (N, K, 2); the k-th of the answer is the landmark for true point k: the assignment
    with the least mean distance of all (K is small).
    """
    gaps = np.linalg.norm(xy[:, :, None] - target[:, None], axis=-1).mean(0)  # landmark, true
    count = gaps.shape[0]

    def cost(order: tuple[int, ...]) -> float:
        return float(sum(gaps[landmark, k] for k, landmark in enumerate(order)))

    return min(permutations(range(count)), key=cost)


def errors_of(found: PaperSet, out: Outputs, spec: FitSpec, named: bool = True) -> dict[str, Any]:
    """Every metric on the whole test set and its parts, and the attributes, as plain data.

    Without `named` landmarks (no label says what each is of) the better of all assignments is
    taken, once for the whole set, and told as `order`; `points` then has the distances in pixels
    of all points: mean, median and 95th percentile. A set that asks for it is measured on whole
    pixels, too, by its first metric.
    """
    more: dict[str, Any] = {}
    xy = out.xy
    target = np.where(out.labelled[..., None], out.target, np.nan)
    if not named:
        order = best_order(xy, target)
        xy = xy[:, list(order)]
    errors = metrics.point_errors(xy, target, out.labelled)
    if not named:
        more = {"order": list(order), "points": spread_of(errors)}
        more["points"]["each_mean"] = [round(float(e), 4) for e in np.nanmean(errors, 0)]
    table = {m.name: by_metric(found, m, errors, target, spec.net.size) for m in found.metrics}
    if found.whole_pixels:
        first, size = found.metrics[0], spec.net.size
        photo = found.whole_pixels == "photo"
        ends = photo_ends(found.test, out.rows.tolist(), spec) if photo else None
        errors = whole_pixel_errors(xy, target, out.labelled, size, ends)
        table[f"{first.name}, whole pixels"] = by_metric(found, first, errors, target, size)
    return {"metrics": table, "attributes": attribute_summary(out, spec), **more}


def by_metric(
    found: PaperSet, metric: Metric, errors: Array, target: Array, size: int
) -> dict[str, Any]:
    """Distances (N, K) by one metric: of the whole test set and of its parts."""
    each = metric.of(errors, target, size)
    parts = {name: spread_of(each[list(rows)]) for name, rows in found.parts.items()}
    return {"unit": metric.unit, **spread_of(each), "parts": parts}


def spread_of(values: Array) -> dict[str, Any]:
    """Mean, median and 95th percentile of what is known, and how many that is."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {"mean": None, "median": None, "p95": None, "count": 0}
    median, p95 = np.percentile(known, [50, 95])
    return {
        "mean": round(float(known.mean()), 4), "median": round(float(median), 4),
        "p95": round(float(p95), 4), "count": len(known),
    }  # fmt: skip
