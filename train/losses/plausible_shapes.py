"""Which shapes are plausible: the few ways in which labelled landmarks vary together (pose-PCA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tracker.types import Floats
from train.data.pictures import DataSet

VARIANCE = 0.99  # of the labelled shapes, kept by the space


@dataclass(frozen=True, slots=True, eq=False)
class ShapeSpace:
    """A mean shape and the directions in which shapes differ from it."""

    mean: Tensor  # (K, 2) centred, RMS distance from the centre 1
    basis: Tensor  # (2K, D) orthonormal columns


def align(xy: Tensor, mean: Tensor) -> Tensor:
    """Shapes (N, K, 2) freed of position and size (RMS radius 1), turned to fit `mean` best.

    Crops are turned at random, so a turned shape must count as the same one.
    """
    centred = xy - xy.mean(1, keepdim=True)
    size = (centred.square().sum(-1).mean(1) + 1e-12).sqrt()
    shape = centred / size[:, None, None]
    x, y = shape[..., 0], shape[..., 1]
    along = (x * mean[:, 0] + y * mean[:, 1]).sum(1)
    across = (x * mean[:, 1] - y * mean[:, 0]).sum(1)
    length = (along.square() + across.square() + 1e-12).sqrt()
    c, s = (along / length)[:, None], (across / length)[:, None]
    return torch.stack([c * x - s * y, s * x + c * y], -1)


def distance(xy: Tensor, space: ShapeSpace) -> Tensor:
    """How far each landmark (N, K) lies from the nearest shape of the space, in RMS radii."""
    off = (align(xy, space.mean) - space.mean).flatten(1)
    left = off - off @ space.basis @ space.basis.T
    return (left.reshape(len(xy), -1, 2).square().sum(-1) + 1e-12).sqrt()


def fit_space(xy: Floats) -> ShapeSpace:
    """The space of shapes (N, K, 2) that keeps 99 % of their variance."""
    shapes = torch.from_numpy(np.asarray(xy, np.float64))
    mean = align(shapes[:1], shapes[0] - shapes[0].mean(0))[0]
    for _ in range(10):  # generalised Procrustes: the mean of what is aligned to the mean
        mean = align(align(shapes, mean).mean(0, keepdim=True), mean)[0]
    off = (align(shapes, mean) - mean).flatten(1)
    _, values, directions = torch.linalg.svd(off, full_matrices=False)
    spread = values.square()
    if float(spread.sum()) < 1e-12 * len(off):  # every shape is the mean
        keep = 0
    else:
        keep = int((spread.cumsum(0) < VARIANCE * spread.sum()).sum()) + 1
    return ShapeSpace(mean.float(), directions[:keep].T.float().contiguous())


def labelled_shapes(data: DataSet, mirrored: bool) -> Floats:
    """Wholly labelled training shapes (N, K, 2); with mirror images, partners changed over."""
    whole = [
        e.xy
        for e in (data.examples[i] for i in data.rows(hold=False))
        if e.labelled.all() and np.isfinite(e.xy).all()
    ]
    k = len(data.markup.landmarks)
    shapes = np.stack(whole) if whole else np.zeros((0, k, 2), np.float32)
    if not mirrored:
        return shapes
    other = np.arange(k)
    for a, b in data.markup.flip_pairs:
        other[[a, b]] = b, a
    turned = shapes[:, other] * np.array([-1, 1], np.float32)
    return np.concatenate([shapes, turned]).astype(np.float32)


def training_space(data: DataSet, flip: float) -> tuple[ShapeSpace | None, str]:
    """The space of the training labels, or None and a sentence where they are too few (< 2K)."""
    count, needed = len(labelled_shapes(data, False)), 2 * len(data.markup.landmarks)
    if count < needed:
        return None, (
            f"plausible shapes are off: {count} pictures have every landmark labelled, "
            f"{needed} are needed"
        )
    return fit_space(labelled_shapes(data, flip > 0)), ""
