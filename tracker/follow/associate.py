"""Which track goes on with which located object. Pure functions over landmarks.

Distances are mean landmark distances in units of the objects' size, so the same numbers serve a
hand near the camera and one far away.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from tracker.find.geometry import bounds_xyxy, overlap_share
from tracker.types import Floats

SAME_DISTANCE = 0.2  # two sets of landmarks nearer than this in the median,
SAME_MEAN = 0.3  # and than this on average, are one object,
SAME_SHARE = 0.8  # and so are two where this much of the smaller box lies in the larger one
OWN_CROP_BONUS = 0.15  # what a track saw in its own crop is its own unless others fit much better
SIDE_PENALTY = 0.5  # a left hand that goes on as a surely right one
EXACT = 6  # up to this many objects every assignment is tried; beyond, the nearest pair first


def object_size(xy: Floats) -> float:
    """Longer side of the landmarks' bounding box, at least one pixel."""
    box = bounds_xyxy(xy)
    return max(float((box[2:] - box[:2]).max()), 1.0)


def distances(a_xy: Floats, b_xy: Floats) -> NDArray[np.float64]:
    """Distances (K,) of corresponding landmarks (K, 2), in units of the mean object size."""
    size = (object_size(a_xy) + object_size(b_xy)) / 2
    found: NDArray[np.float64] = np.linalg.norm(a_xy - b_xy, axis=1) / size
    return found


def landmark_distance(a_xy: Floats, b_xy: Floats) -> float:
    """Mean distance of corresponding landmarks (K, 2), in units of the mean object size."""
    return float(distances(a_xy, b_xy).mean())


def is_same(a_xy: Floats, b_xy: Floats) -> bool:
    """Do two sets of landmarks (K, 2) describe one object?

    The median of their distances decides, and the mean a little: one hand that was seen with a
    finger wrong is the same, two hands of which some landmarks were mistaken are not.
    """
    apart = distances(a_xy, b_xy)
    if np.median(apart) < SAME_DISTANCE and apart.mean() < SAME_MEAN:
        return True
    return overlap_share(bounds_xyxy(a_xy), bounds_xyxy(b_xy)) > SAME_SHARE


def side_conflict(a_left: float | None, b_left: float | None) -> float:
    """How surely two hands have different sides, [0, 1], from their probabilities of being left."""
    if a_left is None or b_left is None:
        return 0.0
    a, b = 2 * a_left - 1, 2 * b_left - 1
    return max(-a * b, 0.0)


def assign(cost: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of a cost matrix, each row and column at most once, no pair over `limit`.

    As many pairs as possible, and of those choices the cheapest (exact up to EXACT objects).
    """
    rows, columns = cost.shape
    if rows == 0 or columns == 0:
        return []
    if max(rows, columns) > EXACT:
        return _greedy(cost, limit)
    if rows > columns:
        return sorted((r, c) for c, r in assign(cost.T, limit))
    # A pair over the limit counts as unmatched, at a price that outweighs any real pair.
    dear = np.where(cost <= limit, cost, 1e6 + np.abs(cost).clip(max=1e3).sum())
    best = min(permutations(range(columns), rows), key=lambda p: sum(dear[range(rows), p]))
    return [(r, c) for r, c in enumerate(best) if cost[r, c] <= limit]


def _greedy(cost: NDArray[np.float64], limit: float) -> list[tuple[int, int]]:
    left = np.where(cost <= limit, cost, np.inf)
    pairs = []
    while np.isfinite(left).any():
        r, c = (int(i) for i in np.unravel_index(np.argmin(left), left.shape))
        pairs.append((r, c))
        left[r, :] = np.inf
        left[:, c] = np.inf
    return sorted(pairs)


def cost_matrix(
    expected: Sequence[tuple[Floats, float | None]],
    found: Sequence[tuple[Floats, float | None]],
    own: Sequence[int] = (),
) -> NDArray[np.float64]:
    """(tracks, found) distances. Items are landmarks (K, 2) and the probability of a left hand.

    own: where given, found item j came from the crop of track own[j], which speaks for that pair.
    """
    cost = np.zeros((len(expected), len(found)))
    for i, (a_xy, a_left) in enumerate(expected):
        for j, (b_xy, b_left) in enumerate(found):
            cost[i, j] = landmark_distance(a_xy, b_xy)
            cost[i, j] += SIDE_PENALTY * side_conflict(a_left, b_left)
            if own and own[j] == i:
                cost[i, j] -= OWN_CROP_BONUS
    return cost


def duplicates(found: Sequence[Floats], rank: Sequence[int]) -> set[int]:
    """Indices of the landmarks that repeat others of lower rank (the rank is the seniority)."""
    dropped: set[int] = set()
    order = sorted(range(len(found)), key=lambda i: rank[i])
    for place, i in enumerate(order):
        if any(is_same(found[i], found[j]) for j in order[:place] if j not in dropped):
            dropped.add(i)
    return dropped
