"""How far a model's faster forms are from the checkpoint in torch, on the same crops."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engines import Batch, Outputs
from engines.choose import load_network
from tracker.progress import Report, silent
from train.export.export import export_model, graph_of
from train.export.quantize import PART, crops_of, objects, open_data, quantize, training_crops
from train.loop.checkpoint import load_model

Runner = Callable[[Batch], Outputs]


@dataclass(frozen=True, slots=True)
class Deviation:
    """One form in one engine against torch: distances of points (crop pixels) and of scores."""

    form: str
    engine: str
    mean_px: float
    max_px: float
    mean_score: float
    max_score: float


def compare(
    checkpoint: Path, labels: Path, count: int = 500, report: Report = silent
) -> Iterator[Deviation]:
    """Every form in every engine that is installed, over `count` crops, held-out ones first.

    `report` is told how many answers there are of those that will be, the checkpoint's own too.
    ValueError when the labels are of another markup.
    """
    data, spec = open_data(checkpoint, labels)
    rows = (objects(data, hold=True) + objects(data, hold=False))[:count]
    crops = crops_of(data, spec, rows)
    engines = ["onnx", *(["openvino"] if find_spec("openvino") else [])]
    truth = torch_outputs(checkpoint, crops)
    done, of = 1, 1 + 3 * len(engines)
    report(done, of)
    with tempfile.TemporaryDirectory() as folder:
        forms = {name: Path(folder) / f"m.{name}.onnx" for name in ("fp32", "fp16", "int8")}
        export_model(checkpoint, forms["fp32"])
        export_model(checkpoint, forms["fp16"], "fp16")
        quantize(forms["fp32"], training_crops(checkpoint, labels), forms["int8"])
        for engine in engines:
            for name, path in forms.items():
                runner = load_network(path, 2, engine)
                answers = in_parts(runner.run, crops)
                done += 1
                report(done, of)
                yield deviation(name, runner.provider, answers, truth)


def torch_outputs(checkpoint: Path, crops: Batch) -> Outputs:
    """The checkpoint's own `xy` (N, K, 2) in crop pixels and `score` (N, K)."""
    graph = graph_of(*load_model(checkpoint))

    def run(part: Batch) -> Outputs:
        with torch.inference_mode():
            xy, score, *_ = graph(torch.from_numpy(part))
        return {"xy": xy.numpy(), "score": score.numpy()}

    return in_parts(run, crops)


def in_parts(run: Runner, crops: Batch) -> Outputs:
    """`xy` and `score` of all crops, run a few at a time."""
    parts = [run(crops[i : i + PART]) for i in range(0, len(crops), PART)]
    return {key: np.concatenate([part[key] for part in parts]) for key in ("xy", "score")}


def deviation(form: str, engine: str, found: Outputs, truth: Outputs) -> Deviation:
    """Mean and largest distance of points, and difference of scores."""
    distance = np.linalg.norm(wide(found["xy"]) - wide(truth["xy"]), axis=-1)
    score = np.abs(wide(found["score"]) - wide(truth["score"]))
    numbers = (distance.mean(), distance.max(), score.mean(), score.max())
    return Deviation(form, engine, *(float(n) for n in numbers))


def wide(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """As float64."""
    return np.asarray(values, np.float64)
