"""Do 40 frames picked by `train suggest` teach more than 40 random ones?

    python -m docs.studies.labels.suggest_gain --data SHARED/data --base BASE.safetensors --out OUT

Pool: hand-labelled faces of `faces68` (68 landmarks); hold-out: whole photo groups. BASE never saw
them (5 landmarks of MTFL). Per seed: 20 random faces are labelled, a first model is trained on
them, and every arm adds 20 more, then trains from BASE again: same steps, same seed, same number
of labels. Each cell is kept in OUT, so that a stopped run goes on; the table is OUT/gain.csv.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from tracker.find.geometry import box_from_landmarks
from tracker.find.locate import Model, load_model, locate
from tracker.whole_files import write_table
from train.config import AugmentSpec, DataSpec, FitSpec
from train.data.augment import true_box
from train.data.pictures import DataSet, read_coco
from train.losses.paper import LossSpec
from train.suggest.ranking import Candidates, WarpSpec, capped, choose
from train.suggest.uncertainty import Measured, uncertainty_of

ARMS = ("random", "suggest", "unsure", "unlike", "gentle")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared."""

    seeds: int = 3
    first: int = 20  # random labels of the model that chooses
    more: int = 20  # labels that each arm adds
    steps: int = 500
    arms: tuple[str, ...] = ARMS


def fit_spec(seed: int, steps: int) -> FitSpec:
    """The same short training on landmarks alone for every cell."""
    return FitSpec(
        kind="face",
        loss=LossSpec(lam=0.05, alpha=0.0, attribute=0.0, heat=1.0, point="l1"),
        data=DataSpec(normaliser=(36, 45)),
        augment=AugmentSpec(scale=0.3),
        batch=32, steps=steps, lr=1e-3, warmup=30, ema=0.99, seed=seed, threads=1,
        evaluate_every=steps, checkpoint_every=steps,
    )  # fmt: skip


def read_faces(data: Path, out: Path) -> DataSet:
    """The hand-labelled pictures of faces68, split by photo group as for the shipped model."""
    from train.data.faces import prepare_faces68

    labels = out / "faces.json"
    if not labels.is_file():
        prepare_faces68(data, labels)
    whole = read_coco(labels)
    kept = tuple(e for e in whole.examples if e.quality == "manual" and not e.negative)
    return DataSet(whole.markup, kept)


def train_cell(
    data: DataSet, rows: list[int], seed: int, plan: Plan, run: Path, base: Path
) -> Path:
    """Train on the labels of `rows`; the checkpoint, at once where the cell is there already."""
    from train.loop.fit import fit

    final = run / "model.safetensors"
    if final.is_file():
        return final
    (run / "last.safetensors").unlink(missing_ok=True)  # cells are short: a torn one starts anew
    held = [data.examples[i] for i in data.rows(hold=True)]
    part = DataSet(data.markup, tuple([data.examples[i] for i in rows] + held), data.cache)
    return fit(fit_spec(seed, plan.steps), run, run, init=base, data=part)


def measure_pool(data: DataSet, rows: list[int], checkpoint: Path) -> list[Measured]:
    """What the exported model says about each picture, in the crop that the tracker would take."""
    from train.export.export import export_model

    onnx = checkpoint.with_suffix(".onnx")
    if not onnx.is_file():
        export_model(checkpoint, onnx)
    model = load_model(onnx, threads=1)
    return [measure_picture(data, i, model) for i in rows]


def measure_picture(data: DataSet, row: int, model: Model) -> Measured:
    """From the face's box to the landmarks, to the crop around these, to the measure."""
    image = data.image(row)
    blank = replace(data.examples[row], xy=np.full_like(data.examples[row].xy, np.nan))
    found = locate(image, [true_box("face", blank, image.shape[:2])], model)[0]
    box = box_from_landmarks(found.kind, found.xy, rule=model.info.crop)  # as tracked
    return uncertainty_of(image, box, model, WarpSpec())


def candidates(found: list[Measured], places: list[int]) -> Candidates:
    """Measured pictures as candidates; a photo group is a clip whose frames are far apart."""
    return Candidates(
        capped([m.disagreement for m in found]),
        np.array(places, np.int64),
        np.arange(len(found), dtype=np.float64) * 1e3,
        np.stack([m.xy for m in found]),
        np.stack([m.look for m in found]),
    )


def pick(arm: str, found: list[Measured], known: list[int], count: int, seed: int) -> list[int]:
    """Indices into `found` that an arm adds; `known`: those labelled already.

    `suggest` is doubt times newness, as in `train suggest`; `unsure` doubt alone, `unlike` newness
    alone, `gentle` the root of doubt times newness.
    """
    free = [i for i in range(len(found)) if i not in set(known)]
    if arm == "random":
        order = np.random.default_rng([seed, 41]).permutation(len(free))
        return [free[j] for j in order[:count]]
    if arm == "unsure":
        return sorted(free, key=lambda i: -found[i].disagreement)[:count]
    pool = candidates([found[i] for i in free], [0] * len(free))
    seen = candidates([found[i] for i in known], [1] * len(known))
    if arm == "unlike":
        pool = replace(pool, value=np.ones_like(pool.value))
    if arm == "gentle":
        pool = replace(pool, value=np.sqrt(pool.value))
    return [free[i] for i, _ in choose(pool, seen, count)]


def hold_out(checkpoint: Path) -> dict[str, Any]:
    """The hold-out summary that a training left in its checkpoint."""
    from train.loop.checkpoint import load_checkpoint

    return dict(load_checkpoint(checkpoint).extra["hold_out"])


def run_seed(data: DataSet, seed: int, plan: Plan, out: Path, base: Path) -> None:
    """All cells of a seed."""
    pool = data.rows(hold=False)
    known = np.random.default_rng([seed, 40]).permutation(len(pool))[: plan.first].tolist()
    folder = out / f"seed{seed}"
    first = train_cell(data, [pool[i] for i in known], seed, plan, folder / "first", base)
    note(out, seed, "first", len(known), hold_out(first))
    found = measure_pool(data, pool, first)
    for arm in plan.arms:
        added = pick(arm, found, known, plan.more, seed)
        rows = [pool[i] for i in known + added]
        final = train_cell(data, rows, seed, plan, folder / arm, base)
        note(out, seed, arm, len(rows), hold_out(final))


def note(out: Path, seed: int, arm: str, labels: int, hold: dict[str, Any]) -> None:
    """Write a cell into OUT/gain.csv, in place of an older row of the same cell."""
    path = out / "gain.csv"
    rows: list[dict[str, str]] = []
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    rows = [r for r in rows if (r["seed"], r["arm"]) != (str(seed), arm)]
    keys = ("nme", "failures>10%", "auc@10%")
    rows.append(
        {"seed": str(seed), "arm": arm, "labels": str(labels)} | {k: f"{hold[k]:.4f}" for k in keys}
    )
    rows.sort(key=lambda r: (int(r["seed"]), r["arm"]))
    write_table(path, rows)
    typer.echo(f"seed {seed}  {arm}  {labels} labels  NME {hold['nme']:.3f} %")


def table(path: Path) -> list[str]:
    """One line an arm: hold-out NME of each seed, their mean, mean change against random labels."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    base = {r["seed"]: float(r["nme"]) for r in rows if r["arm"] == "random"}
    lines = []
    for arm in dict.fromkeys(r["arm"] for r in rows):
        cells = {r["seed"]: float(r["nme"]) for r in rows if r["arm"] == arm}
        each = "  ".join(f"{seed}: {v:.3f}" for seed, v in cells.items())
        against = [100 * (v / base[k] - 1) for k, v in cells.items() if k in base]
        change = f"{np.mean(against):+.1f} %" if against else "-"
        lines.append(f"{arm:8}  {each}  mean {np.mean(list(cells.values())):.3f}  {change}")
    return lines


def main(
    data: Annotated[Path, typer.Option(help="Folder with faces68/ and hands21/.")],
    base: Annotated[Path, typer.Option(help="Checkpoint that never saw faces68.")],
    out: Annotated[Path, typer.Option(help="Folder of the cells.")] = Path("runs/suggest_gain"),
    seeds: Annotated[int, typer.Option(help="Repetitions with other random choices.")] = 3,
    steps: Annotated[int, typer.Option(help="Training steps of each cell.")] = 500,
    arm: Annotated[list[str] | None, typer.Option(help="Only these arms (repeatable).")] = None,
) -> None:
    """Compare the arms; print and write the table."""
    out.mkdir(parents=True, exist_ok=True)
    plan = Plan(seeds, steps=steps, arms=tuple(arm or ARMS))
    faces = read_faces(data, out)
    for seed in range(seeds):
        run_seed(faces, seed, plan, out, base)
    (out / "plan.json").write_text(json.dumps({"steps": steps, "seeds": seeds}))
    typer.echo("\n".join(table(out / "gain.csv")))


if __name__ == "__main__":
    typer.run(main)
