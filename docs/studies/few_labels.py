"""Do unlabelled faces help where few are labelled? L, L+ELT and L+rounds at equal CPU time.

    python -m docs.studies.few_labels --data FOLDER --out runs/few_labels
    python -m docs.studies.few_labels --data FOLDER --out runs/few_labels --rows L,L+rounds
    python -m docs.studies.few_labels --data FOLDER --out runs/few_labels --rows L,L+all --steps 500

FOLDER holds faces68/ and mtfl/. 5 % of the hand-labelled training pictures of faces68 keep their
landmarks, the rest and all of `ytf` are unlabelled; the hold-out are 200 hand-labelled pictures of
other photo groups. The base knows five landmarks of MTFL's faces (LFW and web) and never saw
faces68. L+all is the ceiling of a round: all hand-labelled pictures keep their landmarks, as if
all that a round labels were right, from the first step on. Every part resumes. Prints and writes
few_labels.csv. `--small`: where time is short, a network of a third of the work, from scratch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from tracker.types import CropRule
from tracker.whole_files import write_table
from train.config import AugmentSpec, DataSpec, EltSpec, FitSpec
from train.data.faces import prepare_faces68
from train.data.pictures import DataSet, keep_labels, read_coco
from train.finetune.rounds import RoundsSpec, train_round, train_rounds, with_steps
from train.finetune.stages import Course, Stage, run_stage, telling
from train.loop.checkpoint import load_checkpoint
from train.loop.fit import fit
from train.loop.progress import Progress
from train.loop.warm_start import adapt
from train.losses.paper import LossSpec
from train.networks import NetSpec

BASE_STEPS = 2500
ROUNDS = RoundsSpec(most=1)  # nothing is chosen by the hold-out that is measured on
SMALL = NetSpec(size=64, stem=16, widths=(32, 48, 64, 64))
LOSS = LossSpec(lam=0.05, point="l1", heat=1.0, alpha=0.0, attribute=0.0)


def base_spec(steps: int = BASE_STEPS) -> FitSpec:
    """Five landmarks of MTFL."""
    return FitSpec(
        crop=CropRule(2.7, (0, 1)), loss=LOSS, augment=AugmentSpec(scale=0.3),
        data=DataSpec(hold_out=0.05, normaliser=(0, 1)), steps=steps, seed=1, threads=1,
    )  # fmt: skip


def train_base(data: Path, out: Path, steps: int = BASE_STEPS) -> Path:
    """The base's checkpoint, trained first where it is not there."""
    final = out / "base" / "model.safetensors"
    if final.is_file():
        return final
    coco = json.loads((data / "mtfl" / "training.json").read_text(encoding="utf-8"))
    for image in coco["images"]:
        image["file_name"] = str((data / "mtfl" / image["file_name"]).resolve())
        image.pop("attributes", None)
    coco["categories"][0]["flip_pairs"] = [[0, 1], [3, 4]]
    out.mkdir(parents=True, exist_ok=True)
    labels = out / "mtfl5.json"
    labels.write_text(json.dumps(coco))
    spec = base_spec(steps)
    return fit(spec, out, out / "base", True, None, report, None, read_coco(labels, 0.05, 1))


def few_labelled(data: Path, out: Path, share: float, seed: int) -> DataSet:
    """faces68 with the landmarks of `share` of its hand-labelled training pictures."""
    labels = out / "face68.json"
    if not labels.is_file():
        prepare_faces68(data, labels)
    full = read_coco(labels)
    manual = [i for i in full.rows(False) if full.examples[i].quality == "manual"]
    order = np.random.default_rng([seed, 7]).permutation(len(manual))
    kept = keep_labels(full, [manual[i] for i in order[: round(share * len(manual))]])
    return DataSet(full.markup, tuple(e for e in kept.examples if not e.negative))


def cell_spec(row: str, seed: int, steps: int, moved: bool = True) -> FitSpec:
    """L sees labelled pictures alone; L+ELT the same number of them beside unlabelled ones.

    `moved`: pictures are turned, scaled and shifted at random (the paper's jitter and more).
    """
    move = AugmentSpec(scale=0.3) if moved else AugmentSpec(rotate=0.0, scale=0.0, shift=0.0)
    spec = FitSpec(
        loss=LOSS, augment=move, elt=EltSpec(40.0, 0.3, 0.12), batch=32,
        data=DataSpec(labelled_share=1.0, normaliser=(36, 45), repeat={"ytf": 0.35}),
        lr=1e-3, ema=0.995, steps=steps, seed=seed, threads=1, checkpoint_every=50,
        freeze_norms=True,
        evaluate_every=max(1, steps // 8),
    )  # fmt: skip
    if row in ("L", "L+rounds", "L+all"):
        return spec
    terms: dict[str, float | str] = {"elt_share": 1.0}
    terms["alpha"] = 0.05 if "ELT" in row else 0.0
    if "teacher" in row:
        terms["teacher"] = 0.05
    data = replace(spec.data, labelled_share=0.5)
    return replace(spec, loss=replace(LOSS, **terms), batch=64, data=data)  # type: ignore[arg-type]


def small_spec(spec: FitSpec) -> FitSpec:
    """The same for a small network that starts from nothing."""
    return replace(spec, net=SMALL, lr=2e-3, freeze_norms=False)


def report(p: Progress) -> None:
    """A line an evaluation."""
    if p.hold is not None:
        print(f"  step {p.step}/{p.steps}  NME {p.hold['nme']:.3f} %", flush=True)


def train_row(row: str, spec: FitSpec, folder: Path, start: Path | None, examples: DataSet) -> Path:
    """The final checkpoint of a row."""
    if row != "L+rounds":
        return fit(spec, folder.parent, folder, True, start, report, None, examples)
    course = Course(spec, examples, folder, start, {}, report, print)
    return train_rounds(course, ROUNDS)


def go_on(spec: FitSpec, begun: Path, folder: Path, examples: DataSet) -> dict[str, float]:
    """NME (%) after further training from L's end: labels alone, and a round, as many steps."""
    course = Course(spec, examples, folder, begun, {}, report, print)
    folder.mkdir(exist_ok=True)
    with telling(course) as told:
        plain = run_stage(course, Stage("L", spec, examples, begun, 0), told)
        taught = train_round(course, ROUNDS, begun, (1, 0, spec.steps), told)
    ends = {"L": plain} | ({} if taught is None else {"L+rounds": taught})
    return {name: load_checkpoint(end).extra["hold_out"]["nme"] for name, end in ends.items()}


def steps_in(
    row: str, spec: FitSpec, seconds: float, data: DataSet, start: Path | None, out: Path
) -> int:
    """How many steps a row takes in so many CPU seconds, measured on 20 of them."""
    kept = out / "steps.json"
    known: Mapping[str, float] = (
        json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    )
    if row not in known:
        spec = replace(spec, seed=0, steps=20, evaluate_every=1000)
        bare = DataSet(data.markup, tuple(e for e in data.examples if not e.hold), data.cache)
        marks: list[float] = []
        fit(
            spec, out, out / f"timing_{row}", False, start,
            lambda _: marks.append(time.process_time()), None, bare,
        )  # fmt: skip
        known = {**known, row: float(np.median(np.diff(marks[5:])))}
        kept.write_text(json.dumps(known))
    return int(seconds / known[row])


def main(
    data: Annotated[Path, typer.Option(help="Folder with faces68/ and mtfl/.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/few_labels"),
    minutes: Annotated[float, typer.Option(help="CPU minutes of each cell.")] = 15.0,
    share: Annotated[float, typer.Option(help="Share of labelled pictures.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Which pictures are labelled, and all else.")] = 1,
    rows: Annotated[str, typer.Option(help="Rows, separated by commas.")] = "L,L+ELT",
    base_steps: Annotated[int, typer.Option(help="Of the base's training.")] = BASE_STEPS,
    further: Annotated[int, typer.Option(help="Steps from L's end: labels, or a round.")] = 0,
    steps: Annotated[int, typer.Option(help="Of each row; 0: those of the minutes.")] = 0,
    small: Annotated[bool, typer.Option(help="A small network, from scratch.")] = False,
    moved: Annotated[bool, typer.Option(help="Turn, scale and shift pictures at random.")] = True,
) -> None:
    """Run what is missing of the table, and print it."""
    examples = few_labelled(data, out, share, seed)
    start = None if small else out / f"start_{seed}.safetensors"
    if start is not None:
        base = load_checkpoint(train_base(data, out, base_steps))
        adapt(cell_spec("L", seed, 1), examples.markup, base, start)
    table = []
    for row in rows.split(","):
        still = ("_small" if small else "") + ("" if moved else "_unmoved")
        still += f"_{steps}" if steps else ""
        folder = out / f"{row.replace('+', '_')}_{share:g}_{seed}{still}"
        data_of_row = few_labelled(data, out, 1.0, seed) if row == "L+all" else examples
        spec = cell_spec(row, seed, 20, moved)
        spec = small_spec(spec) if small else spec
        # a round's step costs as much as one of labels alone: as many pictures, none warped
        same = "L" if row in ("L+rounds", "L+all") else row
        count = steps or steps_in(same, spec, 60 * minutes, examples, start, out)
        spec = replace(spec, steps=count, evaluate_every=max(1, count // 8))
        if not (folder / "model.safetensors").is_file():
            print(f"{row}: {count} steps", flush=True)
            folder.mkdir(exist_ok=True)
            begun = time.process_time()
            train_row(row, spec, folder, start, data_of_row)
            print(f"{row}: {time.process_time() - begun:.0f} s of CPU", flush=True)
        hold = load_checkpoint(folder / "model.safetensors").extra["hold_out"]
        table.append(
            {
                "row": row,
                "moved": moved,
                "share": share,
                "seed": seed,
                "steps": count,
                "nme": round(hold["nme"], 3),
            }
        )
        print(table[-1], flush=True)
        if row == "L" and further:
            more = with_steps(spec, further)
            found = go_on(more, folder / "model.safetensors", out / f"{folder.name}_on", examples)
            print(f"L, then {further} steps: {found}", flush=True)
    write_table(out / "few_labels.csv", table)


if __name__ == "__main__":
    typer.run(main)
