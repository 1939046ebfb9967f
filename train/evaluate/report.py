"""`train evaluate`: numbers, tables and pictures of a model on labelled pictures, in one folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engines.engine import first_line
from engines.foreign import refuse_unsafe
from engines.onnx import LOAD_ERRORS
from tracker.find.locate import at_angle
from tracker.find.markups import IRISES, irises_in
from tracker.find.model_file import ModelInfo
from tracker.progress import Report, silent
from tracker.whole_files import write_json
from train.config import DataSpec, FitSpec
from train.data.pictures import DataSet, join, read_coco
from train.evaluate.curves import plot_ced, worst_grid
from train.evaluate.faces import face_summary
from train.evaluate.outputs import (
    Outputs,
    Runner,
    check_pair,
    counted,
    nme_of,
    predict,
    shown,
    summarise,
    torch_runner,
)
from train.loop.checkpoint import load_checkpoint, load_model
from train.losses.paper import Batch
from train.networks import NetSpec
from train.networks.model import Head


def onnx_runner(path: Path) -> tuple[Runner, FitSpec, tuple[str, ...]]:
    """Run an exported model; the spec holds what its metadata tell, and its landmark names.

    ValueError for a file that is no network, or none of ours.
    """
    refuse_unsafe(path)
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except LOAD_ERRORS as error:
        raise ValueError(
            f"{path} is not a network that ONNX Runtime can load ({first_line(error)}); "
            "export it again with 'train export'"
        ) from error
    info = ModelInfo.from_props(session.get_modelmeta().custom_metadata_map, str(path))
    names = [o.name for o in session.get_outputs()]

    irises = info.kind == "face" and "iris" in info.gives

    def run(batch: Batch) -> dict[str, NDArray[np.float64]]:
        found = dict(zip(names, session.run(names, {"image": batch.image.numpy()}), strict=True))
        for attribute in info.attributes:
            if attribute.ups and batch.up is not None:
                turns = np.rad2deg(np.arctan2(-batch.up[:, 0].numpy(), -batch.up[:, 1].numpy()))
                each = zip(found[attribute.name], turns, strict=True)
                found[attribute.name] = np.stack([at_angle(a, float(t)) for a, t in each])
        if irises:  # as in training: after the other landmarks
            spots = found.pop("iris").reshape(len(batch.image), -1, 3)
            found["xy"] = np.concatenate([found["xy"], spots[..., :2]], 1)
            found["score"] = np.concatenate([found["score"], spots[..., 2]], 1)
        return {k: np.asarray(v, np.float64) for k, v in found.items()}

    spec = FitSpec(
        kind=info.kind,
        net=NetSpec(info.network, info.size, info.colour),
        heads=tuple(Head(a) for a in info.attributes if a.name != "iris"),
        beta=info.beta,
        crop=info.crop,
    )
    return run, spec, (*info.landmarks, *(IRISES if irises else ()))


def open_model(path: Path) -> tuple[Runner, FitSpec, tuple[str, ...]]:
    """A runner for a checkpoint (.safetensors) or an exported model (.onnx)."""
    if not path.is_file():
        raise ValueError(f"model {path} does not exist; give a .safetensors or .onnx file")
    if path.suffix == ".onnx":
        return onnx_runner(path)
    model, found = load_model(path)
    return torch_runner(model), found.spec, found.markup.landmarks


def points_of(model: Path) -> Mapping[str, float]:
    """The operating points that a checkpoint or an exported model states."""
    if model.suffix != ".onnx":
        return dict(load_checkpoint(model).extra.get("operating_points", {}))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    props = session.get_modelmeta().custom_metadata_map
    return ModelInfo.from_props(props, str(model)).operating_points


def choose_rows(data: DataSet, split: str, where: Sequence[str]) -> list[int]:
    """Rows of a split ('hold', 'train', 'all') that fit every 'field=value' (quality, source)."""
    rows = [i for i, e in enumerate(data.examples) if split == "all" or e.hold == (split == "hold")]
    for condition in where:
        field, _, value = condition.partition("=")
        if field not in ("quality", "source", "group"):
            raise ValueError(f"--where takes quality, source or group = value, found '{condition}'")
        rows = [i for i in rows if getattr(data.examples[i], field) == value]
    rows = [i for i in rows if not data.examples[i].negative]
    if not rows:
        raise ValueError(f"no example fits split '{split}' {' '.join(where)}".rstrip())
    return rows


def presence_summary(
    run: Runner, data: DataSet, split: str, spec: FitSpec
) -> dict[str, Any] | None:
    """How often pictures without an object are told from those with one (threshold 0.5)."""
    negatives = [
        i for i, e in enumerate(data.examples)
        if e.negative and (split == "all" or e.hold == (split == "hold"))
    ]  # fmt: skip
    if not negatives:
        return None
    out = predict(run, data, negatives, spec)
    return {"negatives": len(negatives), "rejected": float((out.presence < 0.5).mean())}


def evaluate_model(
    model: Path,
    files: Sequence[Path],
    split: str = "hold",
    where: Sequence[str] = (),
    normaliser: Sequence[int] = (),
    hold_out: float = 0.0,
    seed: int = 0,
    report: Report = silent,
) -> tuple[dict[str, Any], Outputs, DataSet, FitSpec]:
    """The summary of a model on label files, with what is needed to draw it."""
    run, spec, names = open_model(model)
    data = labels_for(model, names, files, hold_out, seed)
    pair = tuple(normaliser) or tuple(spec.data.normaliser)
    check_pair(pair, len(names))
    spec = replace(spec, data=DataSpec(normaliser=pair))
    rows = choose_rows(data, split, where)
    looked = counted(run, lambda done: report(done, len(rows)))
    out = predict(looked, data, rows, spec)
    summary = {
        "model": model.name,
        "split": split,
        "where": list(where),
        **summarise(out, data, spec),
    }
    points = points_of(model)
    for head in spec.heads:
        if head.attribute.name == "gesture" and points:
            truth, guess = out.truth["gesture"], out.attributes["gesture"]
            summary["shown"] = shown(truth, guess, head.attribute.classes, points, out.is_read)
    if spec.kind == "face" and len(names) - irises_in(spec.kind, names) == 68:
        summary["faces"] = face_summary(out, data)
    summary["presence"] = presence_summary(run, data, split, spec)
    summary["present_kept"] = float((out.presence >= 0.5).mean())
    return summary, out, data, spec


def labels_for(
    model: Path, names: Sequence[str], files: Sequence[Path], hold_out: float = 0.0, seed: int = 0
) -> DataSet:
    """Label files as a model sees them; ValueError where its landmarks (`names`) are others."""
    data = without_irises(join([read_coco(f, hold_out, seed) for f in files]), names)
    theirs = data.markup.landmarks
    if theirs != tuple(names):
        raise ValueError(
            f"{model} has other landmarks than the labels ({len(names)} and {len(theirs)}); "
            "give labels of the same markup"
        )
    return data


def without_irises(data: DataSet, names: Sequence[str]) -> DataSet:
    """The same without irises, where a model (its landmarks) does not know them."""
    landmarks = data.markup.landmarks
    if not irises_in("face", landmarks) or landmarks[: len(names)] != tuple(names):
        return data
    k = len(names)
    markup = replace(
        data.markup, landmarks=landmarks[:k],
        flip_pairs=tuple(pair for pair in data.markup.flip_pairs if max(pair) < k),
    )  # fmt: skip
    examples = (
        replace(
            e, xy=e.xy[:k], labelled=e.labelled[:k],
            hidden=None if e.hidden is None else e.hidden[:k],
        )
        for e in data.examples
    )  # fmt: skip
    return DataSet(markup, tuple(examples), data.cache)


def write_report(
    summary: dict[str, Any], out: Outputs, data: DataSet, spec: FitSpec, folder: Path
) -> None:
    """metrics.json, ced.png and worst.png in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "metrics.json", summary)
    each = nme_of(out, spec.data.normaliser)
    plot_ced({summary["model"]: each}, 10.0, folder / "ced.png")
    worst_grid(out, data, spec, each, folder / "worst.png")


def print_summary(summary: dict[str, Any], console: Console) -> None:
    """The tables a person reads."""
    scope = " ".join([summary["split"], *summary["where"]])
    table = Table(title=f"{summary['model']} on {summary['images']} images ({scope})")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_row(f"NME, {summary['normaliser']}", f"{summary['nme']:.2f} %")
    for quality, nme in summary["nme_by_quality"].items():
        table.add_row(f"NME, labels '{quality}'", f"{nme:.2f} %")
    labels = {"failures>10%": "images with NME > 10 %"}
    for key in ("pck@0.1", "pck@0.2", "auc@10%", "failures>10%"):
        table.add_row(labels.get(key, key.upper()), f"{summary[key]:.4f}")
    for name, found in summary["attributes"].items():
        if "accuracy" in found:
            table.add_row(f"{name} accuracy ({found['count']})", f"{found['accuracy']:.4f}")
        else:
            values = found["mean_abs_error"]
            each = " ".join(f"{v:.3g}" for v in (values if len(values) <= 6 else [found["mean"]]))
            table.add_row(f"{name} mean abs. error ({found['count']})", each)
    table.add_row("presence >= 0.5 on objects", f"{summary['present_kept']:.4f}")
    if summary["presence"]:
        p = summary["presence"]
        table.add_row(f"presence < 0.5 on {p['negatives']} negatives", f"{p['rejected']:.4f}")
    console.print(table)
    points = Table(title="NME per landmark (%)", show_header=False)
    names = list(summary["per_landmark_nme"].items())
    for at in range(0, len(names), 3):
        points.add_row(*[f"{n}  {v:.2f}" for n, v in names[at : at + 3]])
    console.print(points)
    if "faces" in summary:
        console.print(face_table(summary["faces"]))
    for name, (recall, precision, count) in summary.get("shown", {}).items():
        console.print(f"{name}: shown {recall:.3f} of {count}, right {precision:.3f} of those")
    for name, found in summary["attributes"].items():
        if "confusion" in found:
            _print_confusion(name, found, console)


def face_table(found: Mapping[str, Any]) -> Table:
    """Rows of `face_summary`: quality, measure, value."""
    table = Table(title="Faces, by the quality of the labels")
    for name in ("labels", "measure", "value"):
        table.add_column(name)
    for quality, part in found.items():
        for name, value in part.items():
            if not isinstance(value, dict):
                table.add_row(quality, name, f"{value:.3f}")
                continue
            for key, one in value.items():
                shown = f"{one[0]:.2f} ({one[1]})" if isinstance(one, tuple) else f"{one:.3f}"
                table.add_row(quality, f"{name}, {key}", shown)
    return table


def _print_confusion(name: str, found: dict[str, Any], console: Console) -> None:
    table = Table(title=f"{name}: rows truth, columns prediction")
    used = [
        i
        for i, row in enumerate(found["confusion"])
        if sum(row) or sum(r[i] for r in found["confusion"])
    ]
    table.add_column("")
    for i in used:
        table.add_column(found["classes"][i][:6], justify="right")
    for i in used:
        row = found["confusion"][i]
        table.add_row(found["classes"][i], *[str(row[j]) if row[j] else "." for j in used])
    console.print(table)
