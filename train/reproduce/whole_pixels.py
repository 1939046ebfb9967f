"""Errors of landmarks on whole pixels of the crop, as RCN's released code measures them.

RCN's points are the brightest pixels of 80x80 maps, and its true points are the pixels in which the
labels lie (clipped to the crop). On 300W, whose crops reach beyond the photo, a point that is
predicted in the black is first moved to the photo's border, and so is one whose label lies in the
black, to the border of that side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracker.geometry import apply, frame_to_crop
from train.augment import true_box
from train.config import FitSpec
from train.data import DataSet

Array = NDArray[np.float64]


def pixel_of(xy: Array) -> Array:
    """The pixel in which a point lies: a point half way belongs to the next one."""
    return np.floor(np.asarray(xy, np.float64) + 0.5)


def photo_borders(data: DataSet, rows: Sequence[int], spec: FitSpec) -> Array:
    """(N, 4) left, top, right and bottom of each photo in its crop, in whole pixels from the
    crop's left or top end, for crops that are not turned; 0, 0, S, S where it covers the crop.
    """
    out, size = np.zeros((len(rows), 4)), spec.net.size
    for n, row in enumerate(rows):
        height, width = data.image(row).shape[:2]
        box = true_box(spec.kind, data.examples[row], (height, width), spec.crop)  # type: ignore[arg-type]
        ends = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]], np.float32)
        out[n] = np.round(np.clip(apply(frame_to_crop(box, size), ends) + 0.5, 0, size)).reshape(4)
    return out


def to_photo(pixels: Array, target: Array, borders: Array) -> Array:
    """Predicted pixels (N, K, 2), those in the black moved to the photo's border.

    target (N, K, 2) crop pixels, borders (N, 4) of `photo_borders`. As in the code, the last column
    and row that count are the first ones beyond the photo.
    """
    low, high = borders[:, None, :2], borders[:, None, 2:]
    edge = target + 0.5  # from the crop's end, as the borders
    moved = np.where(edge < low, low, np.where(edge > high, high, pixels))
    return np.asarray(np.clip(moved, low, high))


def whole_pixel_errors(
    xy: Array, target: Array, labelled: NDArray[np.bool_], size: int, borders: Array | None = None
) -> Array:
    """Distances (N, K) in pixels between the pixels of predicted and true points (N, K, 2).

    NaN where a point is not labelled. `borders`: see `photo_borders`; without, nothing is moved.
    """
    found, true = pixel_of(xy), np.clip(pixel_of(target), 0, size - 1)
    if borders is not None:
        found = to_photo(found, target, borders)
    return np.where(labelled, np.linalg.norm(found - true, axis=-1), np.nan)
