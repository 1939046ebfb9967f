"""The Shapes data set (paper section 4.1): one square and one triangle, class labels alone.

The class says which of the two is nearer to the upper-left corner. Landmarks (the triangle's and
the square's centre) are known here to measure with; no training sees them. Sizes were read off
the paper's figure 3: squares of 8 to 16 px, triangles of 8 to 14.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.data.pictures import Markup
from train.sets.base import PaperSet
from train.sets.drawing import SIDE, Drawing, generated

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

    def draw(rng: np.random.Generator, i: int) -> Drawing:
        polygons, centres = draw_pair(rng)
        nearer = CLASSES[int(np.linalg.norm(centres, axis=1).argmin())]
        return Drawing(polygons, centres, {"nearer": nearer})

    return generated("shapes", Markup(CLASSES), draw, (seed, count), taught=False)
