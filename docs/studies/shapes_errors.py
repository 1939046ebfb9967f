"""Where does a model of Shapes err, and where do its landmarks sit?

    python -m docs.studies.shapes_errors CELL

CELL is the folder of a finished cell of `train reproduce shapes`. Class labels say nothing of where
on a shape a landmark should be, so each may sit at any constant offset from the centre: printed are
that offset, the distance without it, and the accuracy by how much nearer one shape is.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from train.loop.checkpoint import load_model
from train.reproduce.cells import run_test
from train.reproduce.errors import best_order
from train.sets.shapes import CLASSES, shapes

Array = NDArray[np.float64]
MARGINS = (0.0, 1.0, 2.0, 4.0, 8.0, 100.0)  # px, edges of the groups


def margins(target: Array) -> Array:
    """(N,) how much nearer to the upper left corner one of two shapes (N, 2, 2) is, pixels."""
    return np.asarray(np.abs(np.diff(np.linalg.norm(target, axis=-1), axis=1))[:, 0])


def offsets(xy: Array, target: Array) -> tuple[Array, Array]:
    """(K, 2) median of landmark - centre for each shape, and (N, K) distances without it."""
    gap = xy - target
    usual = np.median(gap, 0)
    return usual, np.linalg.norm(gap - usual, axis=-1)


def main(cell: Annotated[Path, typer.Argument(help="Folder of a finished cell.")]) -> None:
    """Print the tables."""
    model, kept = load_model(cell / "model.safetensors")
    out = run_test(model, shapes(), kept.spec)
    order = list(best_order(out.xy, out.target))
    usual, rest = offsets(out.xy[:, order], out.target)
    spread = np.median(out.spread[:, order], 0)
    print(f"{'':>10}  offset x, y (px)  distance without it: mean, median   heat's spread (px)")
    for k, name in enumerate(CLASSES):
        x, y = usual[k]
        mean, median = rest[:, k].mean(), np.median(rest[:, k])
        print(f"{name:>10}  {x:6.2f}, {y:6.2f}  {mean:21.2f}, {median:5.2f}  {spread[k]:19.3f}")
    right = out.attributes["nearer"].argmax(1) == out.truth["nearer"]
    apart = margins(out.target)
    print(f"told right: {right.mean():.2%} of {len(right)}")
    for low, high in pairwise(MARGINS):
        rows = (apart >= low) & (apart < high)
        print(
            f"one is nearer by {low:.0f} to {high:.0f} px: {right[rows].mean():.1%} of {rows.sum()}"
        )


if __name__ == "__main__":
    typer.run(main)
