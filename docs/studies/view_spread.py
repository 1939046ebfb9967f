"""How wrong are points by how far 16 views of them disagree? Where self-training's limits are from.

    python -m docs.studies.view_spread runs/few_labels/L_0.05_1/model.safetensors \\
        runs/few_labels/face68.json

Labels held-out objects as a round of self-training would (train/data/pseudo_labels.py) and compares
with their labels: by spread, the share of points, their error and that of the first view alone,
all in % of the crop's side.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from train.config import FitSpec
from train.data.pictures import DataSet, read_coco
from train.data.pseudo_labels import ViewSpec, cut_views, label_pictures
from train.loop.checkpoint import load_model

EDGES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, np.inf)


def main(
    checkpoint: Annotated[Path, typer.Argument(help="A .safetensors checkpoint.")],
    labels: Annotated[Path, typer.Argument(help="A COCO keypoints file with a hold-out.")],
    count: Annotated[int, typer.Option(help="Held-out objects, at most.")] = 200,
) -> None:
    """Print the table."""
    model, found = load_model(checkpoint)
    data = read_coco(labels)
    rows = [i for i in data.rows(True) if data.examples[i].labelled.all()]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:count]]
    views = ViewSpec()
    many = label_pictures(model, data, rows, found.spec, views)
    once = label_pictures(model, data, rows, found.spec, replace(views, count=1))
    sides = sides_of(data, rows, found.spec)
    true = np.stack([data.examples[i].xy for i in rows])
    wrong = 100 * np.linalg.norm(many.xy - true, axis=2) / sides[:, None]
    alone = 100 * np.linalg.norm(once.xy - true, axis=2) / sides[:, None]
    print("spread from, to    points   error   first view alone")
    for low, high in pairwise(EDGES):
        there = (many.spread >= low) & (many.spread < high)
        if there.any():
            share = 100 * there.mean()
            print(f"{low:5.2f} {high:5.2f} {share:11.1f} % {wrong[there].mean():6.2f} %"
                  f" {alone[there].mean():6.2f} %")  # fmt: skip
    rank = np.corrcoef(*(np.argsort(np.argsort(v.ravel())) for v in (many.spread, wrong)))[0, 1]
    print(f"all: {wrong.mean():.2f} %, first view alone {alone.mean():.2f} %; ", end="")
    print(f"rank correlation of spread and error {rank:.2f}")


def sides_of(data: DataSet, rows: list[int], spec: FitSpec) -> np.ndarray:
    """Side of each object's crop (N,), pixels of its picture."""
    return np.array([cut_views(data, row, spec, ViewSpec(count=1)).side for row in rows])


if __name__ == "__main__":
    typer.run(main)
