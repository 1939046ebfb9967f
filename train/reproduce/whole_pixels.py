"""Errors of landmarks on whole pixels of the crop, as RCN's released code measures them.

RCN's points are the brightest pixels of 80x80 maps (points of other networks are rounded to the
nearest), and its true points are the pixels in which the labels lie, clipped to the crop. On 300W,
whose crops reach beyond the photo, a point that is predicted in the black is first moved to the
photo's border, and so is one whose label lies at an end of the photo beyond which the crop goes on.
A label in a corner is at two ends here; RCN's code adds the numbers of both and takes it for
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.find.geometry import apply, frame_to_crop
from train.config import FitSpec
from train.data.augment import true_box
from train.data.pictures import DataSet

Array = NDArray[np.float64]
NEAR_START, NEAR_END = 10, 3  # photo pixels, counted from 1, within which a label is at an end


@dataclass(frozen=True, slots=True, eq=False)
class PhotoEnds:
    """Where the photos of N crops end, and which of their K labels lie there."""

    borders: Array  # (N, 4) left, top, right, bottom: whole crop pixels from its left or top side
    labels: NDArray[np.bool_]  # (N, K, 4) at that end, and the crop goes on beyond it


def pixel_of(xy: Array) -> Array:
    """The pixel in which a point lies: a point half way belongs to the next one."""
    return np.floor(np.asarray(xy, np.float64) + 0.5)


def photo_ends(data: DataSet, rows: Sequence[int], spec: FitSpec) -> PhotoEnds:
    """The ends of the photos in crops that are not turned; 0, 0, S, S where one covers its crop."""
    size, points = spec.net.size, len(data.markup.landmarks)
    borders = np.zeros((len(rows), 4))
    labels = np.zeros((len(rows), points, 4), bool)
    for n, row in enumerate(rows):
        height, width = data.image(row).shape[:2]
        example = data.examples[row]
        box = true_box(spec.kind, example, (height, width), spec.crop)  # type: ignore[arg-type]
        corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]], np.float32)
        ends = apply(frame_to_crop(box, size), corners) + 0.5
        borders[n] = np.round(np.clip(ends, 0, size)).reshape(4)
        beyond = np.concatenate([ends[0] > 0, ends[1] < size])
        one = example.xy.astype(np.float64) + 1
        near = np.concatenate([one < NEAR_START, (width, height) - one <= NEAR_END], 1)
        labels[n] = near & beyond
    return PhotoEnds(borders, labels)


def to_photo(pixels: Array, ends: PhotoEnds) -> Array:
    """Predicted pixels (N, K, 2), moved to the photo's border where RCN's code moves them.

    As there, the last column and row that count are the first ones beyond the photo.
    """
    low, high = ends.borders[:, None, :2], ends.borders[:, None, 2:]
    moved = np.where(ends.labels[..., :2], low, np.where(ends.labels[..., 2:], high, pixels))
    return np.asarray(np.clip(moved, low, high))


def whole_pixel_errors(
    xy: Array,
    target: Array,
    labelled: NDArray[np.bool_],
    size: int,
    ends: PhotoEnds | None = None,
) -> Array:
    """Distances (N, K) in pixels between the pixels of predicted and true points (N, K, 2).

    NaN where a point is not labelled. Without `ends` nothing is moved to the photo.
    """
    found, true = pixel_of(xy), np.clip(pixel_of(target), 0, size - 1)
    if ends is not None:
        found = to_photo(found, ends)
    return np.where(labelled, np.linalg.norm(found - true, axis=-1), np.nan)
