"""Do unlabelled hands help a markup of one's own that is learnt from scratch? L against L+rounds.

    python -m docs.studies.own_markup --data FOLDER --out runs/own_markup --labels 20 --seed 1

FOLDER holds the collections of `train prepare hands`. The markup is a wrist and five fingertips.
20 (or 50) hands of `hands_real` keep their points, 1,500 others have none; 300 hands of its
hold-out (other repositories and people) are measured, the last weights, in % of the longer side of
the points' box. Both rows take the same number of steps. Every part resumes. Prints and writes
own_markup_LABELS_SEED.csv.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from docs.studies.few_labels import SMALL, train_row
from tracker.types import CropRule
from tracker.whole_files import write_table
from train.config import AugmentSpec, DataSpec, FitSpec
from train.data.pictures import DataSet, Example, Markup, read_coco
from train.data.shipped import prepare_hands
from train.loop.checkpoint import load_checkpoint
from train.losses.paper import LossSpec

POINTS = {"wrist": 0, "thumb": 4, "index": 8, "middle": 12, "ring": 16, "pinky": 20}
UNLABELLED, HELD = 1500, 300


def hands(data: Path, out: Path, labels: int, seed: int) -> DataSet:
    """Real hands with six points, `labels` of the training ones labelled."""
    path = out / "hand21.json"
    if not path.is_file():
        prepare_hands(data, path)
    whole = [
        e for e in read_coco(path).examples
        if not e.negative and e.quality == "teacher" and e.labelled.all()
    ]  # fmt: skip
    rng = np.random.default_rng([seed, 7])
    train = [e for e in whole if not e.hold]
    order = rng.permutation(len(train))[: labels + UNLABELLED]
    held = [e for e in whole if e.hold]
    # the same for all seeds
    tested = np.random.default_rng(0).permutation(len(held))[:HELD]
    kept = [own(train[i], place < labels) for place, i in enumerate(order)]
    markup = Markup(tuple(POINTS))
    return DataSet(markup, (*kept, *(own(held[i], True) for i in tested)))


def own(example: Example, labelled: bool) -> Example:
    """A hand with the points of the markup; without labels they only say where the crop lies."""
    places = list(POINTS.values())
    return replace(
        example, xy=example.xy[places], labelled=np.full(len(places), labelled), hidden=None,
        attributes={}, weight=1.0,
    )  # fmt: skip


def spec_of(seed: int, steps: int) -> FitSpec:
    """As `train finetune --from scratch` chooses it for such a project."""
    return FitSpec(
        kind="object", crop=CropRule(1.6),
        loss=LossSpec(lam=0.05, point="l1", heat=1.0, alpha=0.0, attribute=0.0),
        data=DataSpec(labelled_share=1.0),
        augment=AugmentSpec(rotate=35.0, scale=0.25, shift=0.1, flip=0.5, colour=0.7, blur=0.15,
                            occlude=0.2),
        batch=32, lr=2e-3, warmup=50, ema=0.995, steps=steps, seed=seed, threads=1,
        checkpoint_every=50, evaluate_every=max(1, steps // 2),
    )  # fmt: skip


def main(
    data: Annotated[Path, typer.Option(help="Folder of the collections.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/own_markup"),
    labels: Annotated[int, typer.Option(help="Labelled hands.")] = 20,
    seed: Annotated[int, typer.Option(help="Which are labelled, and all else.")] = 1,
    steps: Annotated[int, typer.Option(help="Of each row.")] = 2000,
    small: Annotated[bool, typer.Option(help="A network of a third of the work.")] = False,
    rows: Annotated[str, typer.Option(help="Rows, separated by commas.")] = "L,L+rounds",
) -> None:
    """Run what is missing of the table, and print it."""
    out.mkdir(parents=True, exist_ok=True)
    examples, table = hands(data, out, labels, seed), []
    spec = spec_of(seed, steps)
    spec = replace(spec, net=SMALL) if small else spec
    for row in rows.split(","):
        still = "_small" if small else ""
        folder = out / f"{row.replace('+', '_')}_{labels}_{seed}_{steps}{still}"
        if not (folder / "model.safetensors").is_file():
            folder.mkdir(exist_ok=True)
            begun = time.process_time()
            train_row(row, spec, folder, None, examples)
            print(f"{row}: {time.process_time() - begun:.0f} s of CPU", flush=True)
        nme = load_checkpoint(folder / "model.safetensors").extra["hold_out"]["nme"]
        found = {"row": row, "labels": labels, "seed": seed, "steps": steps, "nme": round(nme, 3)}
        table.append(found)
        print(found, flush=True)
    write_table(out / f"own_markup_{labels}_{seed}.csv", table)


if __name__ == "__main__":
    typer.run(main)
