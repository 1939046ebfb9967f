"""White polygons on black 60x60 images, for the two generated data sets."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.types import Image

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
