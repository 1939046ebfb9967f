"""The network beside dynamic time warping: `python -m docs.studies.motions.warping`.

Windows of composed people are judged by both: of the motions each once, and of other movement. By
warping a window is as like a motion as to the nearest of some examples of it, by the places of palm
and fingertips and the pinch, in the window's own size, warped by a quarter of its length at most;
what is likelier the longer the window is not asked. Printed is, for each, the share of motions that
are taken for themselves where so few of the other windows are taken for a motion.
"""

from __future__ import annotations

import json
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.motions.examples import shapes
from docs.studies.motions.people import MOTIONS, acted, idled, person
from docs.studies.motions.windows_of import labelled
from tracker.gestures.motions.library import bundled
from tracker.gestures.motions.windows import (
    BEFORE,
    LENGTHS,
    PINCH,
    POINTS,
    SIZE,
    TIP_X,
    features,
    is_whole,
    path_of,
    windows,
)
from tracker.types import Floats

FALSE = (0.01, 0.003, 0.001)  # of other windows
BAND = POINTS // 4
FIRST = 30_000


def main(
    people: Annotated[int, typer.Option(help="To be judged.")] = 20,
    teachers: Annotated[int, typer.Option(help="Whose motions are examples.")] = 12,
    others: Annotated[int, typer.Option(help="Windows of other movement, a film.")] = 300,
) -> None:
    """Print a line of JSON each."""
    examples, kinds, _ = some_windows(range(teachers), 1, 0, for_tests=False)
    judged, made, lengths = some_windows(range(FIRST, FIRST + people), 1, others, for_tests=True)
    near = np.stack(
        [warped(judged, one) for one in shape(examples[kinds > 0])], axis=1
    )  # (M, examples)
    of = kinds[kinds > 0]
    by_warping = np.stack([-near[:, of == 1 + k].min(1) for k in range(len(MOTIONS))], axis=1)
    by_network = bundled().network(features(judged, lengths))[:, 1:]
    for name, likely in (("network", by_network), ("warping", by_warping)):
        row: dict[str, object] = {"by": name, "motions": int((made > 0).sum()),
                                  "other_windows": int((made == 0).sum())}  # fmt: skip
        for false in FALSE:
            least = np.quantile(likely[made == 0].max(1), 1 - false)
            best = likely[made > 0].argmax(1) + 1
            right = (best == made[made > 0]) & (likely[made > 0].max(1) > least)
            row[f"right where {false:.1%} of others are taken"] = round(float(right.mean()), 3)
        print(json.dumps(row), flush=True)


def some_windows(
    people: range, each: int, others: int, for_tests: bool
) -> tuple[Floats, NDArray[np.intp], NDArray[np.float64]]:
    """Windows (M, ...), their motions (0: none) and lengths, of each person's two films."""
    rng, hands, found = np.random.default_rng(0), shapes(for_tests), []
    for seed in people:
        for film in (acted(person(seed), hands, MOTIONS, each), idled(person(seed), hands, 40)):
            path = path_of(film.t, film.xy, film.is_mirrored)
            ends, long = np.repeat(path.t[2:], len(LENGTHS)), np.tile(LENGTHS, len(path) - 2)
            whole = is_whole(path, ends, long)
            ends, long = ends[whole], long[whole]
            made = labelled(film.done, MOTIONS, ends, long)
            for kind in range(len(MOTIONS) + 1):
                most = 1 if kind else others
                rows = rng.permutation(np.flatnonzero(made == kind))[:most]
                if len(rows):
                    found.append((windows(path, ends[rows], long[rows]), made[rows], long[rows]))
    seen, made, long = (np.concatenate(part) for part in zip(*found, strict=True))
    return seen, made, long


def shape(marks: Floats) -> Floats:
    """(M, POINTS, 5) places of palm and fingertips in the window's own size, and the pinch."""
    size = np.median(marks[:, BEFORE:, SIZE], axis=1)[:, None, None]
    palm = marks[:, BEFORE:, :2] / size
    tips = palm + marks[:, BEFORE:, TIP_X : TIP_X + 2]
    found = np.concatenate([palm, tips], axis=2)
    found = found - found.mean(1, keepdims=True)
    extent = np.sqrt((found[:, :, :2] ** 2).sum(2).mean(1)).clip(0.3)[:, None, None]
    return np.concatenate([found / extent, marks[:, BEFORE:, PINCH : PINCH + 1]], axis=2)


def warped(marks: Floats, example: Floats) -> Floats:
    """(M,) distances of windows to one example (POINTS, 5) along the best path."""
    cost = np.linalg.norm(shape(marks)[:, :, None] - example[None, None], axis=3)
    total = np.full((len(marks), POINTS + 1, POINTS + 1), np.inf, np.float32)
    total[:, 0, 0] = 0
    for i in range(POINTS):
        for j in range(max(0, i - BAND), min(POINTS, i + BAND + 1)):
            before = np.minimum(np.minimum(total[:, i, j], total[:, i, j + 1]), total[:, i + 1, j])
            total[:, i + 1, j + 1] = cost[:, i, j] + before
    return np.asarray(total[:, POINTS, POINTS] / POINTS)


if __name__ == "__main__":
    typer.run(main)
