"""Are proposals as sure as they are right, by how far their points have gone from the label?

    python -m docs.studies.labels.spread_moved REF.json LABELS.json...

REF.json is one that `spread_gain reference` wrote, LABELS.json a project's labels (or an older copy
from labels/backup/) with proposals for its clip. A point's way is measured along the proposals to
the nearest label, in sides of the reference's box.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from docs.studies.labels.spread_gain import OWN, Reference, read_reference
from tracker.types import Floats
from train.spread.flow import NEAR

WAYS = (0.0, 0.05, 0.1, 0.3, 0.6, 1.0, 2.0, np.inf)  # sides
Points = dict[int, tuple[Floats, Floats | None]]  # of frames: (K, 2), and (K,) how sure; None: hand


def read_points(path: Path, clip: str) -> Points:
    """Labels and proposals of a clip; NaN where a point has none."""
    body = json.loads(path.read_text(encoding="utf-8"))
    found: Points = {}
    for part in (body.get("spread", {}), body):
        images = {i["id"]: i for i in part.get("images", ()) if i["clip"] == clip}
        for thing in part.get("annotations", ()):
            if thing["image_id"] in images:
                flat = np.array(thing["keypoints"], np.float32).reshape(-1, 3)
                xy = np.where(flat[:, 2:] > 0, flat[:, :2], np.nan).astype(np.float32)
                sure = thing.get("confidence")
                known = None if sure is None else np.array(sure, np.float32)
                found[images[thing["image_id"]]["frame"]] = (xy, known)
    return found


def ways(points: Points, frame: int, label: int) -> Floats:
    """How far (K,) each point has gone from a label to a frame, pixels.

    Where a point is missed on the way it goes with the others.
    """
    step = 1 if label < frame else -1
    between = [i for i in range(label, frame + step, step) if i in points]
    total = np.zeros(len(points[frame][0]), np.float32)
    for a, b in itertools.pairwise(between):
        moved = np.linalg.norm(points[b][0] - points[a][0], axis=1)
        usual = np.nanmedian(moved) if np.isfinite(moved).any() else 0.0
        total += np.where(np.isfinite(moved), moved, usual).astype(np.float32)
    return total


def measured(points: Points, truth: Reference) -> list[tuple[float, float, float]]:
    """Way and error, in sides, and confidence of each proposed point of the reference's frames."""
    rows: list[tuple[float, float, float]] = []
    hand = [i for i, (_, sure) in points.items() if sure is None]
    for frame, (xy, sure) in points.items():
        if sure is None or frame not in truth.xy:
            continue
        goal = truth.xy[frame] if len(xy) == 21 else truth.xy[frame][list(OWN)]
        side = float(np.ptp(truth.xy[frame], axis=0).max())
        way = ways(points, frame, min(hand, key=lambda i: abs(i - frame))) / side
        error = np.linalg.norm(xy - goal, axis=1) / side
        known = np.isfinite(error)
        rows += zip(way[known].tolist(), error[known].tolist(), sure[known].tolist(), strict=True)
    return rows


def main(
    reference: Annotated[Path, typer.Argument(help="By `spread_gain reference`.")],
    labels: Annotated[list[Path], typer.Argument(help="labels.json of projects.")],
) -> None:
    """Print a table by the points' way."""
    truth = read_reference(reference)
    rows: list[Any] = [r for path in labels for r in measured(read_points(path, truth.clip), truth)]
    way, error, sure = np.array(rows, np.float64).reshape(-1, 3).T
    for low, high in itertools.pairwise(WAYS):
        at = (way >= low) & (way < high)
        if at.any():
            right = 100 * (error[at] < NEAR).mean()
            typer.echo(
                f"{truth.clip}  {low:.2f} to {high:.2f} sides  {at.sum():5} points  mean error "
                f"{100 * error[at].mean():5.2f} %  within {100 * NEAR:g} %: {right:5.1f} %  mean "
                f"confidence {sure[at].mean():.2f}"
            )


if __name__ == "__main__":
    typer.run(main)
