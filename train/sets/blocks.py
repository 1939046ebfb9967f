"""The Blocks data set (paper section 4.2): a chain of five squares with a triangle at its head.

15 classes: all strings of four moves, right (R) or down (D), but RRRR, which is DDDD turned. The
triangle follows as a sixth piece in the direction of the last move. Each 60x60 image shows one of
them at a random scale, place and rotation. Landmarks are the centres of the five squares, tail
first. The geometry was read off the paper's figure 4; the ranges of scale are not documented.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from train.data.pictures import Markup
from train.sets.base import PaperSet
from train.sets.drawing import SIDE, Drawing, generated, inside

CLASSES = tuple("".join(m) for m in product("RD", repeat=4) if "".join(m) != "RRRR")
COUNT = 3200
SCALE = (0.8, 1.6)  # of the base figure, uniform; smaller where the figure would not fit
START, SPAN = 16, 36  # top-left pixel of the tail square; the longer extent's room

Polygons = list[NDArray[np.float64]]


def base_figure(moves: str) -> tuple[Polygons, NDArray[np.float64]]:
    """Five squares and a triangle, (n, 2) corners each, and the squares' centres (5, 2), pixels."""
    step = {"R": (1, 0), "D": (0, 1)}
    cells = np.cumsum([(0, 0)] + [step[m] for m in moves + moves[-1]], 0)
    extent = int(cells.max()) + 1
    pitch = SPAN // extent
    side = pitch - 1
    centres = START + cells * pitch + (side - 1) / 2
    half = side / 2
    square = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    along = np.array(step[moves[-1]], float)
    across = along[::-1]
    reach = 0.45 * side
    triangle = np.array([along * reach, across * reach - along * reach, -(across + along) * reach])
    return [square + c for c in centres[:5]] + [triangle + centres[5]], centres[:5]


def place(
    rng: np.random.Generator, polygons: Polygons, points: NDArray[np.float64]
) -> tuple[Polygons, NDArray[np.float64]]:
    """The figure turned, scaled and moved at random, wholly inside the image."""
    whole = np.concatenate(polygons)
    middle = (whole.min(0) + whole.max(0)) / 2
    while True:
        scale, angle = rng.uniform(*SCALE), rng.uniform(0, 2 * np.pi)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        moved = (whole - middle) @ turn.T
        room = SIDE - 1 - (moved.max(0) - moved.min(0))
        if (room > 0).all():
            break
    shift = rng.uniform(0, room) - moved.min(0)
    figure = [(p - middle) @ turn.T + shift for p in polygons]
    assert inside(np.concatenate(figure))
    return figure, (points - middle) @ turn.T + shift


def blocks(seed: int = 0, count: int = COUNT) -> PaperSet:
    """`count` images each for training, validation and test, drawn from `seed` alone."""
    markup = Markup(tuple(f"square_{i}" for i in range(5)), tuple((i, i + 1) for i in range(4)))
    figures = {name: base_figure(name) for name in CLASSES}

    def draw(rng: np.random.Generator, i: int) -> Drawing:
        name = CLASSES[i % len(CLASSES)]
        polygons, points = place(rng, *figures[name])
        return Drawing(polygons, points, {"class": name})

    return generated("blocks", markup, draw, (seed, count))
