"""The Shapes data set (paper section 4.1): one square and one triangle, class labels alone.

The class says which of the two is nearer to the upper-left corner. Landmarks (the triangle's and
the square's centre) are known here to measure with; no training sees them. Sizes were read off
the paper's figure 3: squares of 8 to 16 px, triangles of 8 to 14.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.data import DataSet, Example, Markup
from train.sets.base import Metric, PaperSet, pixels
from train.sets.drawing import SIDE, drawn

CLASSES = ("triangle", "square")
COUNT = 3200
SQUARE, TRIANGLE = (8.0, 16.0), (8.0, 14.0)  # sides, pixels
APART = 1.0  # px between the circles around the two shapes

Polygon = NDArray[np.float64]


def regular(corners: int, side: float, angle: float) -> Polygon:
    """A regular polygon about (0, 0), (corners, 2)."""
    radius = side / (2 * np.sin(np.pi / corners))
    at = angle + 2 * np.pi * np.arange(corners) / corners
    out: Polygon = radius * np.column_stack([np.cos(at), np.sin(at)])
    return out


def draw_pair(rng: np.random.Generator) -> tuple[list[Polygon], NDArray[np.float64]]:
    """A triangle and a square that do not touch, and their centres (2, 2), triangle first."""
    triangle = regular(3, rng.uniform(*TRIANGLE), rng.uniform(0, 2 * np.pi))
    square = regular(4, rng.uniform(*SQUARE), rng.uniform(0, 2 * np.pi))
    shapes = [triangle, square]
    radii = [float(np.linalg.norm(s[0])) for s in shapes]
    while True:
        centres = np.array([rng.uniform(r, SIDE - 1 - r, 2) for r in radii])
        gap = float(np.linalg.norm(centres[0] - centres[1]))
        if gap >= sum(radii) + APART:
            return [s + c for s, c in zip(shapes, centres, strict=True)], centres


def shapes(seed: int = 0, count: int = COUNT) -> PaperSet:
    """`count` images each for training, validation and test, drawn from `seed` alone."""
    markup = Markup(CLASSES)
    sets = []
    for number, part in enumerate(("train", "validation", "test")):
        rng = np.random.default_rng([seed, number])
        examples, pictures = [], {}
        for i in range(count):
            polygons, centres = draw_pair(rng)
            nearer = CLASSES[int(np.linalg.norm(centres, axis=1).argmin())]
            path = Path(f"shapes/{part}/{i:05d}")
            pictures[path] = drawn(polygons)
            examples.append(
                Example(
                    path, centres.astype(np.float32), np.full(2, part == "test"), None, False,
                    {"nearer": nearer}, "shapes", path.as_posix(), "exact", part != "train", False,
                )
            )  # fmt: skip
        sets.append(DataSet(markup, tuple(examples), pictures))
    train, valid, test = sets
    fit = DataSet(markup, train.examples + valid.examples, train.cache | valid.cache)
    return PaperSet("shapes", fit, test, (Metric("distance", "px", pixels),))
