"""What an experiment of the paper needs of a data set, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tracker.whole_files import write_json
from train.data.pictures import DataSet
from train.evaluate.metrics import nme_per_image

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """An error of landmarks: distance / length, averaged over an image's points, then images.

    `length` takes true points (N, K, 2) in crop pixels and the crop's side in crop pixels, and
    gives N lengths in crop pixels (NaN: not known). Units: '%' (times 100) or 'px'.
    """

    name: str
    unit: str
    length: Callable[[Array, float], Array]

    def of(self, errors: Array, target: Array, size: float) -> Array:
        """(N,) errors of images from distances (N, K), NaN where nothing is known."""
        each = nme_per_image(errors, self.length(target, size))
        return each if self.unit == "%" else each / 100


def pixels(target: Array, size: float) -> Array:
    """Length 1: the error is in crop pixels."""
    return np.ones(len(target))


def between(a: Sequence[int], b: Sequence[int]) -> Callable[[Array, float], Array]:
    """The distance between the centres of two groups of landmarks (0-based), such as the eyes."""

    def length(target: Array, size: float) -> Array:
        gap = target[:, list(a)].mean(1) - target[:, list(b)].mean(1)
        out: Array = np.linalg.norm(gap, axis=-1)
        return np.where(out > 0, out, np.nan)

    return length


def of_crop(share: float) -> Callable[[Array, float], Array]:
    """A share of the crop's side, such as the face box that the crop was made from."""

    def length(target: Array, size: float) -> Array:
        return np.full(len(target), share * size)

    return length


@dataclass(frozen=True, slots=True, eq=False)
class PaperSet:
    """A data set with the paper's split. Examples of `fit` that are held out are its validation.

    `whole_pixels`: measured on whole pixels of the crop, too; 'photo': with points in the black
    moved to the photo's border (`train/reproduce/whole_pixels.py`).
    """

    name: str
    fit: DataSet
    test: DataSet  # every example held out
    metrics: tuple[Metric, ...]  # the paper's first
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # rows of `test` by name
    whole_pixels: Literal["crop", "photo"] | None = None


def save_list(path: Path, data: DataSet, rows: Sequence[int], root: Path | None = None) -> None:
    """Write which images keep their landmarks, by name, so that others can use the same ones.

    Names are relative to the data's folder `root` where they are inside it.
    """
    paths = [data.examples[i].path for i in rows]
    names = [
        (p.relative_to(root) if root is not None and p.is_relative_to(root) else p).as_posix()
        for p in paths
    ]
    write_json(path, {"labelled": len(names), "images": names})
