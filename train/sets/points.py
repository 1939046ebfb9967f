"""What several readers of the paper's data sets share: .pts files, square boxes, seeded splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from tracker.types import Floats
from train.data.pictures import Example


def read_pts(path: Path, count: int) -> Floats:
    """(count, 2) points of a .pts file, in 0-based pixels (the file counts from 1).

    Raises ValueError for a file that is missing, is not .pts or holds another number of points.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; every picture needs its .pts file beside it")
    text = path.read_text(encoding="ascii", errors="replace")
    head, brace, rest = text.partition("{")
    body, end, _ = rest.partition("}")
    if "n_points" not in head or not brace or not end:
        raise ValueError(f"{path} is not a .pts file; 'n_points: N' and {{ N points }} were wanted")
    try:
        xy = np.array(body.split(), np.float64).reshape(-1, 2)
    except ValueError as error:
        raise ValueError(f"{path}: a point is not two numbers ({error}); mend the file") from error
    if not np.isfinite(xy).all():
        raise ValueError(f"{path} holds a point that is not finite; mend the file")
    if len(xy) != count:
        raise ValueError(f"{path} holds {len(xy)} points, {count} are wanted; mend the file")
    out: Floats = (xy - 1).astype(np.float32)
    return out


def square_box(xy: ArrayLike, scale: float = 1.0, margin: float = 0.0) -> Floats:
    """(4,) square x0, y0, x1, y1 about the middle of the points (n, 2); rows with NaN are ignored.

    Its side is the longer side of the points' own box, times `scale`, plus `margin` pixels at
    both ends. Raises ValueError where no point is known.
    """
    points = np.asarray(xy, np.float64)
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        raise ValueError("a box needs a landmark at least; remove the image that has none")
    low, high = points.min(0), points.max(0)
    half = float((high - low).max()) * scale / 2 + margin
    middle = (low + high) / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def example(
    path: Path,
    xy: Floats,
    box_xyxy: Floats,
    attributes: Mapping[str, object],
    origin: tuple[str, str],
    hold: bool,
) -> Example:
    """An example with hand-made points, NaN where there is none; origin: source and group."""
    labelled = np.asarray(np.isfinite(xy).all(1))
    return Example(
        path, xy.astype(np.float32), labelled, box_xyxy, False, attributes, *origin, "manual",
        hold, False,
    )  # fmt: skip


def last_of_shuffled(count: int, held: int, seed: int) -> set[int]:
    """The last `held` of the numbers 0 .. count - 1 in an order that `seed` alone decides."""
    order = np.random.default_rng([seed, 11]).permutation(count)
    return {int(i) for i in order[count - held :]}


def need(path: Path, what: str) -> Path:
    """The path, which must exist. ValueError: `what` says in a sentence where to get it."""
    if not path.exists():
        raise ValueError(f"{path} does not exist; {what}")
    return path
