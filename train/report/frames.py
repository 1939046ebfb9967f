"""Held-out frames with what was labelled and what the model says drawn on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.find.geometry import apply, crop_to_frame
from tracker.sources.picture_file import encoded
from tracker.types import Image
from tracker.whole_files import write_whole
from train.data.augment import true_box
from train.report.findings import Finished, Held, Place, place_of

SIDE = 384  # pixels of a picture
TRUTH = (120, 255, 60)  # BGR
GUESS = (110, 40, 255)
JOINT = (0, 225, 255)
DARK = (20, 20, 20)
SUB = 4  # fractional bits of coordinates


@dataclass(frozen=True, slots=True)
class Case:
    """A drawn object: its picture's file, where it was, and how far off the models are."""

    file: str
    place: Place
    nme: float  # %
    base_nme: float | None
    worst_landmark: str
    worst_error: float  # % of the normaliser


def choose_cases(
    each: NDArray[np.float64], worst: int, average: int
) -> tuple[list[int], list[int]]:
    """Indices of the largest errors, largest first, and of those nearest to the median."""
    known = [int(i) for i in np.flatnonzero(np.isfinite(each))]
    by_error = sorted(known, key=lambda i: -each[i])
    high = by_error[: min(worst, -(-len(known) // 2))]
    middle = float(np.median(each[known])) if known else 0.0
    rest = sorted((i for i in known if i not in high), key=lambda i: abs(each[i] - middle))
    return high, rest[:average]


def draw_cases(
    run: Finished, tuned: Held, base: Held | None, which: Sequence[int], name: str
) -> list[Case]:
    """Write report/NAME_1.png ... for these indices into the outputs."""
    return [draw_case(run, tuned, base, i, f"{name}_{n + 1}.png") for n, i in enumerate(which)]


def draw_case(run: Finished, tuned: Held, base: Held | None, i: int, file: str) -> Case:
    """Write the picture of one held-out object."""
    row = int(tuned.outputs.rows[i])
    example, picture = run.data.examples[row], run.data.image(row)
    kind, rule = run.project.kind, tuned.spec.crop
    box = true_box(kind, example, (picture.shape[0], picture.shape[1]), rule)
    guess = apply(crop_to_frame(box, tuned.spec.net.size), tuned.outputs.xy[i])
    truth, labelled = example.xy, example.labelled
    seen, matrix = zoom(picture, np.concatenate([truth[labelled], guess[labelled]]))
    canvas = overlay(seen, apply(matrix, truth), apply(matrix, guess), labelled, run.project.edges)
    write_whole(run.report / file, encoded(canvas, ".png", cv2.IMWRITE_PNG_COMPRESSION, 9))
    off = np.where(labelled, np.linalg.norm(guess - truth, axis=1), -1.0)
    k = int(off.argmax())
    share = off / max(float(off[labelled].mean()), 1e-9) * float(tuned.each[i])
    return Case(
        file, place_of(run, row), float(tuned.each[i]),
        None if base is None else float(base.each[i]), run.project.landmarks[k], float(share[k]),
    )  # fmt: skip


def zoom(picture: Image, xy: NDArray[np.floating]) -> tuple[Image, NDArray[np.float64]]:
    """A square of SIDE pixels around the points with a margin, and the (2, 3) matrix into it."""
    low, high = xy.min(0), xy.max(0)
    side = max(24.0, 1.35 * float((high - low).max()))
    scale = SIDE / side
    corner = (low + high) / 2 - side / 2
    matrix = np.array([
        [scale, 0, -scale * (corner[0] - 0.5) - 0.5], [0, scale, -scale * (corner[1] - 0.5) - 0.5]
    ])  # fmt: skip
    how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    seen = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=how, borderValue=(90, 90, 90))
    return seen, matrix  # type: ignore[return-value]


def overlay(
    picture: Image,
    truth: NDArray[np.floating],
    guess: NDArray[np.floating],
    labelled: NDArray[np.bool_],
    edges: Sequence[tuple[int, int]],
) -> Image:
    """Labelled points as rings, predicted ones as dots, a line between the two of a landmark.

    All (K, 2) pixels of the picture; where nothing is labelled the dot is small.
    """
    canvas = picture.copy()
    dense = len(truth) > 40
    ring, dot = (4, 2) if dense else (7, 4)
    for a, b in edges:
        if labelled[a] and labelled[b]:
            _line(canvas, truth[a], truth[b], TRUTH, 1)
        _line(canvas, guess[a], guess[b], GUESS, 1)
    for p, q, known in zip(truth, guess, labelled, strict=True):
        if known:
            _line(canvas, p, q, DARK, 4)
            _line(canvas, p, q, JOINT, 2)
    for p, q, known in zip(truth, guess, labelled, strict=True):
        if known:
            _ring(canvas, p, ring, DARK, 4)
            _ring(canvas, p, ring, TRUTH, 2)
        _ring(canvas, q, dot + 1 if known else dot - 1, DARK, -1)
        _ring(canvas, q, dot if known else dot - 2, GUESS, -1)
    return canvas


def _fixed(p: NDArray[np.floating]) -> tuple[int, int]:
    return round(float(p[0]) * 2**SUB), round(float(p[1]) * 2**SUB)


def _line(
    canvas: Image, a: NDArray[np.floating], b: NDArray[np.floating], colour: Sequence[int],
    thick: int,
) -> None:  # fmt: skip
    cv2.line(canvas, _fixed(a), _fixed(b), colour, thick, cv2.LINE_AA, SUB)


def _ring(
    canvas: Image, p: NDArray[np.floating], radius: int, colour: Sequence[int], thick: int
) -> None:
    cv2.circle(canvas, _fixed(p), max(1, radius) << SUB, colour, thick, cv2.LINE_AA, SUB)


def clear_cases(folder: Path) -> None:
    """Take the pictures of an earlier report away, which may have been more."""
    for pattern in ("worst_*.png", "average_*.png"):
        for path in folder.glob(pattern):
            path.unlink()
