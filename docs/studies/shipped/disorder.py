"""Do scores tell hands whose points lie in disorder from those that are right?

    python -m docs.studies.shipped.disorder MODEL PREP/hand21.json

Crops of the held-out hands, from the labels. A hand is right where its error is below 10 % of the
longer side of its box, wrong above 15 %. Printed by the limit on the mean score: which hands pass
it; then the same for what the bones' proportions say, with the limit that as many right ones pass
as have a mean score of `WHOLE_SCORE`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from tracker.find.hand_bones import EVERY, USUAL
from tracker.follow.track_memory import WHOLE_SCORE
from train.data.pictures import read_coco
from train.evaluate.outputs import nme_of, predict
from train.evaluate.report import open_model

Array = NDArray[np.float64]
LIMITS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
RIGHT, WRONG = 10.0, 15.0  # % of the longer side of the box


def bone_lengths(points: Array) -> Array:
    """(N, 20) lengths of the bones of landmarks (N, 21, D)."""
    ends = np.array(EVERY)
    return np.asarray(np.linalg.norm(points[:, ends[:, 1]] - points[:, ends[:, 0]], axis=2))


def oddness(xy: Array, xyz: Array) -> dict[str, Array]:
    """By measure, how odd (N,) a hand's proportions are: landmarks (N, 21, 2), `xyz` (N, 21, 3).

    A bone is never longer in the picture than in space; places in space, turned and scaled, lie
    on the landmarks; bones in space are as long as an adult's.
    """
    flat = xyz[:, :, :2] * (1, -1)
    a, b = (p - p.mean(1, keepdims=True) for p in (flat, xy))
    a, b = a[..., 0] + 1j * a[..., 1], b[..., 0] + 1j * b[..., 1]
    scale = (b * a.conj()).sum(1) / (np.abs(a) ** 2).sum(1)
    off = np.abs(b - scale[:, None] * a)
    long = bone_lengths(xyz)
    return {
        "longest bone in the picture over its length in space": (
            bone_lengths(xy) / np.abs(scale)[:, None] / np.maximum(long, 0.05)
        ).max(1),
        "places in space laid over the points, RMS": np.sqrt(
            (off**2).mean(1) / (np.abs(b) ** 2).mean(1)
        ),
        "bones in space against an adult's, RMS of logs": np.sqrt(
            (np.log(np.maximum(long, 1e-3) / USUAL) ** 2).mean(1)
        ),
    }


def main(
    model: Annotated[Path, typer.Argument(help="A hand model with places in space.")],
    labels: Annotated[Path, typer.Argument(help="Labels of 'train prepare hands'.")],
) -> None:
    """Print the table."""
    data, (run, spec, _) = read_coco(labels), open_model(model)
    rows = [i for i in data.rows(hold=True) if data.examples[i].labelled.any()]
    out = predict(run, data, rows, spec)
    error, score = nme_of(out, ()), out.score.mean(1)
    real = np.array([data.examples[i].quality == "teacher" for i in rows])
    groups = {"real": real, "rendered": ~real, "right": error < RIGHT, "wrong": error > WRONG}
    print(f"| passes where | {' | '.join(f'{k} ({m.sum()})' for k, m in groups.items())} |")
    print("|---" * (len(groups) + 1) + "|")
    passing = {f"mean score from {limit:g}": score >= limit for limit in LIMITS}
    share = (score >= WHOLE_SCORE)[groups["right"]].mean()
    for name, odd in oddness(out.xy, out.attributes["xyz"].reshape(-1, 21, 3)).items():
        limit = np.quantile(odd[groups["right"]], share)
        passing[f"{name}: to {limit:.2f}"] = odd <= limit
    for name, passes in passing.items():
        cells = (f"{passes[m].mean():.1%}" for m in groups.values())
        print(f"| {name} | {' | '.join(cells)} |")
    refused = error[score < WHOLE_SCORE]
    print(f"{len(refused)} below {WHOLE_SCORE:g}, their mean error {refused.mean():.1f} %")


if __name__ == "__main__":
    typer.run(main)
