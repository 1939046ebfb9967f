"""What each part of the shipped models' trainings brings: rows at equal steps, from fresh weights.

    python -m docs.studies.shipped.ablation hands PREP --raw DATA --steps 300
    python -m docs.studies.shipped.ablation pose,faces,shapes PREP --steps 300

PREP holds hand21.json and face68.json (`train prepare`), DATA the raw collections. A row is one of
the project's own configs with a few settings changed. Tables: `hands` (data, weights by spread,
ELT, A), `faces` (the same, and the openings' term), `pose` (solvePnP on the points, a head whose
error stops at the points, one whose error flows back), `shapes` of the face network. All is
measured on the hold-outs, apart; irises do not count in the NME. Prints and writes OUT/TABLE.csv;
a row that is there is not trained again. `--small`: where time is short, a small network on crops
of 64 px.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import train
from tracker.whole_files import write_table, write_whole
from train.config import DataSpec, FitSpec, read_config
from train.data.pictures import DataSet, read_coco
from train.evaluate.faces import face_summary
from train.evaluate.outputs import predict, summarise, torch_runner
from train.export.speed import time_models
from train.loop.checkpoint import load_model
from train.loop.fit import fit

CONFIGS = Path(train.__file__).parent / "configs"
HAND, FACE = CONFIGS / "hand21_end.toml", CONFIGS / "face68_end.toml"
HOLD_OUTS = {  # by kind: column, quality of the labels, normaliser (none: longer side of the box)
    "hand": (("real", "teacher", ()), ("rendered", "exact", ())),
    "face": (("photos", "manual", (36, 45)), ("rendered", "exact", ()), ("webcam", "teacher", ())),
}
APART = {"hand": ("thumb_tip", "index_tip"), "face": ()}  # landmarks with a column of their own
LANDMARKS = 68  # those behind are irises
SURE = {"loss.presence": "0", "data.negatives": "0"}  # there always is an object
BARE = {**SURE, "heads": "[]"}
ELT = {"loss.alpha": "0.05", "loss.elt_on": "all", "loss.elt_share": "0.5"}
SMALL = {"net.size": "64", "net.widths": "[32, 48, 64, 64]", "net.depth": "[1, 1, 1, 1]"}
TWO = {"data.shares": "{manual = 0.34, exact = 0.38}", "loss.more": "{}"}  # as in the config


@dataclass(frozen=True, slots=True)
class Row:
    """A config, and what is changed in it."""

    config: Path
    settings: Mapping[str, str] = field(default_factory=dict)  # dotted keys, TOML values
    alike: bool = False  # every label counts alike, those masked as unsure, too


TABLES: dict[str, dict[str, Row]] = {
    "hands": {
        "real": Row(HAND, {**BARE, "data.shares": "{teacher = 1}"}, alike=True),
        "real and rendered": Row(HAND, BARE, alike=True),
        "weights by spread": Row(HAND, BARE),
        "weights and ELT": Row(HAND, {**BARE, **ELT}),
        "weights and A": Row(HAND, SURE),
    },
    "pose": {
        "solvePnP": Row(FACE, {"heads.pose.weight": "0", "loss.more.turn": "0"}),
        "head without back-flow": Row(FACE, {"heads.pose.flow": "false"}),
        "whole": Row(FACE),
    },
    "faces": {
        "photos": Row(FACE, {**BARE, **TWO, "data.shares": "{manual = 1}"}),
        "photos and rendered": Row(FACE, {**BARE, **TWO}),
        "both and ELT": Row(FACE, {**BARE, **TWO, **ELT}),
        "both and A": Row(FACE, {**SURE, **TWO}),
        "both and openings": Row(FACE, {**BARE, **TWO, "loss.more": "{openings = 0.5}"}),
    },
    "shapes": {
        "whole": Row(FACE),
        "heat of 32 for all": Row(FACE, {"net.fine": "[]"}),
        "widths 48-80-128-192": Row(FACE, {"net.widths": "[48, 80, 128, 192]"}),
        "depth 1-2-2-2": Row(FACE, {"net.depth": "[1, 2, 2, 2]"}),
        "crops of 160, heat of 80 and 40": Row(FACE, {"net.size": "160"}),
        "crops of 96, heat of 48 and 24": Row(FACE, {"net.size": "96"}),
    },
}


def spec_of(row: Row, steps: int, seed: int, threads: int) -> FitSpec:
    """The row's config with its settings, for so many steps whose rate falls all along."""
    budget = {
        "steps": steps, "decay": steps, "warmup": max(1, steps // 6), "seed": seed,
        "threads": threads, "workers": 0, "evaluate_every": steps, "checkpoint_every": 50,
    }  # fmt: skip
    return read_config(row.config, {**row.settings, **{k: str(v) for k, v in budget.items()}})


def all_alike(labels: Path, raw: Path, out: Path) -> Path:
    """The same labels in a new file, where the teacher's training points have no weight and those
    too unsure to count are back (`raw`/hands_real).
    """
    coco = json.loads(labels.read_text(encoding="utf-8"))
    given = json.loads((raw / "hands_real" / "labels.json").read_text(encoding="utf-8"))
    points = {a["image_id"]: a["keypoints"] for a in given["annotations"]}
    training = set()
    for image in coco["images"]:
        image["file_name"] = str((labels.parent / image["file_name"]).resolve())
        if image["quality"] == "teacher" and image["split"] == "train":
            training.add(image["id"])
    for annotation in coco["annotations"]:
        if annotation["image_id"] in training:
            annotation.pop("weight", None)
            annotation["keypoints"] = points[annotation["image_id"]]
    write_whole(out, json.dumps(coco).encode())
    return out


def measures(checkpoint: Path, data: DataSet) -> dict[str, Any]:
    """Errors on each hold-out, one a column."""
    model, found = load_model(checkpoint)
    columns: dict[str, Any] = {}
    for name, quality, pair in HOLD_OUTS[found.spec.kind]:
        spec = replace(found.spec, data=DataSpec(normaliser=pair))
        rows = [i for i in data.measured() if data.examples[i].quality == quality]
        out = predict(torch_runner(model), data, rows, spec)
        counted = out.labelled & (np.arange(out.labelled.shape[1]) < LANDMARKS)
        summary = summarise(replace(out, labelled=counted), data, spec)
        columns[f"{name} NME %"] = summary["nme"]
        columns |= {f"{name} {n} %": summary["per_landmark_nme"][n] for n in APART[spec.kind]}
        for head, value in summary["attributes"].items():
            columns[f"{name} {head}"] = value.get("accuracy", value.get("mean"))
        if spec.kind == "face":
            columns |= face_columns(name, face_summary(out, data).get(quality, {}))
    return {k: v if v is None else round(v, 3) for k, v in columns.items()}


def face_columns(name: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Lids, lips and, of rendered faces, the error of yaw by bins."""
    columns = {f"{name} {k}": summary.get(k) for k in ("lids_slope", "lips_slope")}
    for way in ("points", "head") if name == "rendered" else ():
        for between, (mean, _) in summary.get(f"yaw_by_{way}", {}).items():
            columns[f"yaw {between} by {way}"] = mean
    return columns


def trained(spec: FitSpec, labels: Path, folder: Path) -> dict[str, Any]:
    """A row's columns, trained and measured where they are not there yet."""
    kept = folder / "measures.json"
    if not kept.is_file():
        data = read_coco(labels)
        bare = DataSet(data.markup, tuple(e for e in data.examples if not e.hold), data.cache)
        begun = time.process_time()
        final = fit(spec, labels.parent, folder, resume=True, data=bare)
        spent = round(time.process_time() - begun)
        columns = {"steps": spec.steps, "seed": spec.seed, "CPU s": spent, **measures(final, data)}
        write_whole(kept, json.dumps(columns).encode())
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def main(
    tables: Annotated[str, typer.Argument(help=f"Of {', '.join(TABLES)}, separated by commas.")],
    prep: Annotated[Path, typer.Argument(help="Folder with hand21.json and face68.json.")],
    raw: Annotated[Path, typer.Option(help="Folder with hands_real/, for hands.")] = Path(),
    out: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs/ablation"),
    rows: Annotated[str, typer.Option(help="Of these rows alone, separated by semicolons.")] = "",
    steps: Annotated[int, typer.Option(min=1, help="Of 64 crops, each row.")] = 300,
    seed: Annotated[int, typer.Option(help="Of weights, batches and augmentation.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Of the training.")] = 1,
    small: Annotated[bool, typer.Option(help="Small crops and a small network.")] = False,
) -> None:
    """Run what is missing of the tables, and print them."""
    out.mkdir(parents=True, exist_ok=True)
    for name in tables.split(","):
        table, checkpoints = [], []
        for title in rows.split(";") if rows else TABLES[name]:
            row = TABLES[name][title]
            row = replace(row, settings={**SMALL, **row.settings}) if small else row
            spec = spec_of(row, steps, seed, threads)
            labels = prep / spec.data.files[0]
            labels = all_alike(labels, raw, out / "all_alike.json") if row.alike else labels
            words = [spec.kind, *title.split(), str(steps), str(seed), *["small"] * small]
            folder = out / "_".join(words)
            print(f"{name}: {title}", flush=True)
            table.append({"row": title, **trained(spec, labels, folder)})
            print(table[-1], flush=True)
            checkpoints.append(folder / "model.safetensors")
        if name == "shapes":
            alone = [s for s in time_models(checkpoints, 60) if s.threads == 1]
            for line, s in zip(table, alone, strict=True):
                line |= {"MMAC": round(s.mmac), "ms a crop": round(s.p20_ms, 2)}
        write_table(out / f"{name}.csv", table)


if __name__ == "__main__":
    typer.run(main)
