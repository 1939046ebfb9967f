"""White polygons on black 60x60 images: what the two generated data sets share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.types import Image
from train.data.pictures import DataSet, Example, Markup
from train.sets.base import Metric, PaperSet, pixels

SIDE = 60
FINE = 8  # sub-pixels a pixel, each way
BITS = 4  # fractional bits of corner coordinates


def drawn(polygons: Sequence[NDArray[np.float64]]) -> Image:
    """(60, 60, 3) image of filled convex polygons, corners (n, 2) in pixels, centres at integers.

    Drawn 8 times as large and averaged, so that a shape's grey rim shows where it lies to a
    fraction of a pixel.
    """
    fine = np.zeros((SIDE * FINE, SIDE * FINE), np.uint8)
    for corners in polygons:
        large = (np.asarray(corners) + 0.5) * FINE - 0.5
        cv2.fillConvexPoly(fine, np.round(large * 2**BITS).astype(np.int32), 255, cv2.LINE_8, BITS)
    small = cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.repeat(small[..., None], 3, 2).astype(np.uint8)


def inside(corners: NDArray[np.float64]) -> bool:
    """Whether all corners (n, 2) are pixels of the image (a hair of rounding is let pass)."""
    return bool((corners >= -1e-9).all() and (corners <= SIDE - 1 + 1e-9).all())


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """One generated image, and what is known of it."""

    polygons: Sequence[NDArray[np.float64]]
    xy: NDArray[np.float64]  # (K, 2) landmarks, pixels
    attributes: Mapping[str, str]


def generated(
    name: str,
    markup: Markup,
    draw: Callable[[np.random.Generator, int], Drawing],
    seed_count: tuple[int, int],
    taught: bool = True,
) -> PaperSet:
    """`count` drawings each for training, validation and test, from the seed alone.

    `draw` gets a generator and the number of the image. Without `taught` only the test images have
    landmark labels.
    """
    seed, count = seed_count
    sets = []
    for number, part in enumerate(("train", "validation", "test")):
        rng = np.random.default_rng([seed, number])
        examples, pictures = [], {}
        for i in range(count):
            made = draw(rng, i)
            path = Path(f"{name}/{part}/{i:05d}")
            pictures[path] = drawn(made.polygons)
            labelled = np.full(len(made.xy), taught or part == "test")
            examples.append(
                Example(
                    path, made.xy.astype(np.float32), labelled, None, False, made.attributes,
                    name, path.as_posix(), "exact", part != "train", False,
                )
            )  # fmt: skip
        sets.append(DataSet(markup, tuple(examples), pictures))
    train, valid, test = sets
    fit = DataSet(markup, train.examples + valid.examples, train.cache | valid.cache)
    return PaperSet(name, fit, test, (Metric("error", "px", pixels),))
