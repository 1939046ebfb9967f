"""Which track goes on with which located object. Pure functions over landmarks.

Distances are mean landmark distances in units of the objects' size, so the same numbers serve a
hand near the camera and one far away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.find.geometry import bounds_xyxy, overlap_share
from tracker.types import Floats

SAME_DISTANCE = 0.2  # two sets of landmarks nearer than this in the median,
SAME_MEAN = 0.3  # and than this on average, are one object,
SAME_SHARE = 0.8  # and so are two where this much of the smaller box lies in the larger one
OWN_CROP_BONUS = 0.15  # what a track saw in its own crop is its own unless others fit much better
SIDE_PENALTY = 0.5  # a left hand that goes on as a surely right one


def object_size(xy: Floats) -> float:
    """Longer side of the landmarks' bounding box, at least one pixel."""
    box = bounds_xyxy(xy)
    width, height = (box[2:] - box[:2]).tolist()
    return max(float(width), float(height), 1.0)


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

    As many pairs as possible, and of those choices the cheapest.
    """
    rows, columns = cost.shape
    if rows == 0 or columns == 0:
        return []
    if rows > columns:
        return sorted((r, c) for c, r in assign(cost.T, limit))
    # A pair over the limit counts as unmatched, at a price that outweighs any real pair.
    good = cost <= limit
    dear = np.where(good, cost, 1e6 + np.abs(cost[good]).sum())
    return [(r, c) for r, c in enumerate(_cheapest(dear)) if good[r, c]]


def _cheapest(cost: NDArray[np.float64]) -> list[int]:
    """The column of each row, for (rows, columns >= rows): the Hungarian method (Kuhn 1955)."""
    first = [int(c) for c in cost.argmin(1)]
    if len(set(first)) == len(first):
        return first
    rows, columns = cost.shape
    row_of = np.full(columns + 1, -1)  # the last column stands for the row that is looked at
    of_row, of_column = np.zeros(rows), np.zeros(columns + 1)  # potentials
    for row in range(rows):
        row_of[-1], column = row, -1
        least, came_from = np.full(columns, np.inf), np.full(columns, -1)
        done = np.zeros(columns + 1, bool)
        while row_of[column] >= 0:  # grow the tree of tight edges until a free column is reached
            done[column] = True
            r = row_of[column]
            slack = cost[r] - of_row[r] - of_column[:-1]
            better = ~done[:-1] & (slack < least)
            least[better], came_from[better] = slack[better], column
            nearest = int(np.where(done[:-1], np.inf, least).argmin())
            step = least[nearest]
            of_row[row_of[done]] += step
            of_column[done] -= step
            least[~done[:-1]] -= step
            column = nearest
        while column >= 0:  # exchange along the path back
            row_of[column] = row_of[came_from[column]]
            column = int(came_from[column])
    return [int(np.flatnonzero(row_of[:-1] == r)[0]) for r in range(rows)]


def cost_matrix(
    expected: Sequence[tuple[Floats, float | None]],
    found: Sequence[tuple[Floats, float | None]],
    own: Sequence[int] = (),
) -> NDArray[np.float64]:
    """(tracks, found) distances. Items are landmarks (K, 2) and the probability of a left hand.

    own: where given, found item j came from the crop of track own[j], which speaks for that pair.
    """
    cost = np.zeros((len(expected), len(found)))
    if not cost.size:
        return cost
    a_xy, b_xy = np.stack([xy for xy, _ in expected]), np.stack([xy for xy, _ in found])
    sizes = (_sizes(a_xy)[:, None] + _sizes(b_xy)) / 2
    cost += np.linalg.norm(a_xy[:, None] - b_xy, axis=3).mean(2) / sizes
    for i, (_, a_left) in enumerate(expected):
        for j, (_, b_left) in enumerate(found):
            cost[i, j] += SIDE_PENALTY * side_conflict(a_left, b_left)
    for j, i in enumerate(own):
        cost[i, j] -= OWN_CROP_BONUS
    return cost


def _sizes(xy: Floats) -> NDArray[np.float64]:
    """`object_size` of each of (N, K, 2) landmarks."""
    found: NDArray[np.float64] = np.maximum(np.ptp(xy.astype(np.float64), axis=1).max(1), 1.0)
    return found


def may_touch(xy: Sequence[Floats]) -> NDArray[np.bool_]:
    """(N, N): do the boxes around landmarks (K, 2) share anything? Where not, none is the same."""
    boxes = np.array([bounds_xyxy(points) for points in xy]).reshape(-1, 4)
    low = np.maximum(boxes[:, None, :2], boxes[:, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[:, 2:])
    found: NDArray[np.bool_] = (low <= high).all(2)
    return found


def duplicates(
    found: Sequence[Floats], rank: Sequence[int], touching: NDArray[np.bool_] | None = None
) -> set[int]:
    """Indices of the landmarks that repeat others of lower rank (the rank is the seniority).

    `touching`: `may_touch` of them, where it is known.
    """
    dropped: set[int] = set()
    order = sorted(range(len(found)), key=lambda i: rank[i])
    touching = may_touch(found) if touching is None else touching
    for place, i in enumerate(order):
        kept = [j for j in order[:place] if j not in dropped and touching[i, j]]
        if any(is_same(found[i], found[j]) for j in kept):
            dropped.add(i)
    return dropped
