"""From an exported fp32 ONNX to one whose convolutions compute in int8.

ONNX Runtime's static quantisation (QDQ); the range of every activation is taken from training
crops. The body is quantised up to the convolution that gives the heat; that one, the soft-argmax
and the heads stay in floating point.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from engines import Batch
from engines.foreign import made_here, refuse_unsafe
from tracker.progress import Report, silent
from tracker.whole_files import file_sha256, write_whole
from train.config import FitSpec
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.evaluate.outputs import check_pair
from train.evaluate.report import choose_rows, evaluate_model, labels_for, open_model
from train.export.export import strip_traces
from train.export.shrink import halve, restore
from train.export.speed import median_ms
from train.loop.checkpoint import prepare_output

MOST_WORSE, LEAST_FASTER = 0.02, 1.3  # bars for shipping
CROPS, PART = 320, 32  # calibration crops, and how many of them run at once
TARGETS = ("cpu", "tensorrt")
PROP = "int8"  # the file's own note on how it was quantised


class _Crops(CalibrationDataReader):  # type: ignore[misc]
    """What ONNX Runtime asks for calibration inputs; it demands this base class."""

    def __init__(self, crops: Batch, report: Report) -> None:
        self._crops, self._done, self._report = crops, 0, report

    def get_next(self) -> dict[str, Batch] | None:
        """The next input by name; None at the end."""
        self._report(self._done, len(self._crops))
        part = self._crops[self._done : self._done + PART]
        self._done += len(part)
        return {"image": part} if len(part) else None


def check_request(
    model: Path, labels: Path, out: Path, target: str, pair: Sequence[int] = ()
) -> None:
    """Refuse before any long work what would fail, or destroy an input, at its end.

    Makes the folder of `out`. ValueError or UserError in one sentence.
    """
    _check_target(target)
    if model.suffix != ".onnx":
        raise ValueError(f"int8 is made from an exported .onnx, found {model}; run 'train export'")
    check_pair(pair, len(open_model(model)[2]))
    prepare_output(out, model, labels)


def training_crops(
    model: Path, labels: Path, count: int = CROPS, seed: int = 0, report: Report = silent
) -> Batch:
    """(N, C, S, S) raw 0..255 as the model wants them: at most `count` crops of the training split.

    ValueError when the labels are of another markup or hold no training object.
    """
    data, spec = open_data(model, labels)
    rows = objects(data, hold=False)
    if not rows:
        raise ValueError(f"{labels} has no training object to take ranges from; check its split")
    some = np.random.default_rng(seed).permutation(rows)[:count].tolist()
    return crops_of(data, spec, some, report)


def open_data(model: Path, labels: Path) -> tuple[DataSet, FitSpec]:
    """Labels, and how a model wants its crops; ValueError where their landmarks differ."""
    _, spec, names = open_model(model)
    return labels_for(model, names, [labels]), spec


def objects(data: DataSet, hold: bool) -> list[int]:
    """Rows of a split that show an object."""
    return [i for i in data.rows(hold) if not data.examples[i].negative]


def crops_of(data: DataSet, spec: FitSpec, rows: Sequence[int], report: Report = silent) -> Batch:
    """(N, C, S, S) raw 0..255: the crops of rows, unmoved and unturned but for the upright rule."""
    made: list[Batch] = []
    for at in range(0, len(rows), PART):
        made.append(make_batch(data, list(rows[at : at + PART]), spec, None).image.numpy())
        report(at + len(made[-1]), len(rows))
    return np.concatenate(made)


def body(graph: onnx.GraphProto, keep: tuple[int, int] = (0, 1)) -> list[str]:
    """Names of the nodes to quantise: without the first and last `keep` convolutions.

    (0, 1): from the first convolution up to the one that gives the heat, exclusive. ValueError when
    fewer convolutions are there than are kept, or none is left.
    """
    at = [i for i, node in enumerate(graph.node) if node.op_type == "Conv"]
    first, last = keep
    if min(keep) < 0 or last < 1:
        raise ValueError(f"--keep takes two counts, the second 1 or more, found {first},{last}")
    if len(at) < 2:
        raise ValueError("the network has no body to quantise: fewer than two convolutions")
    if len(at) <= first + last:
        raise ValueError(
            f"the network has no body to quantise: {len(at)} convolutions, {first + last} are kept"
        )
    return [node.name for node in graph.node[at[first] : at[-last]]]


def quantize(
    model: Path, crops: Batch, out: Path, target: str = "cpu", reduce_range: bool = True,
    keep: tuple[int, int] = (0, 1), report: Report = silent,
) -> None:  # fmt: skip
    """Write `model` with an int8 body to `out`; its description stays, renamed into place.

    target 'cpu': uint8 activations, int8 weights per channel. `reduce_range` keeps the weights to 7
    bits, so that a CPU without VNNI, whose 16-bit sums would overflow, gives the same answers.
    `keep`: convolutions at the start and the end that stay as they are, where 8 bits are too few.
    target 'tensorrt': symmetric int8, biases in floating point, as its parser wants it; slow on a
    CPU. Raises ValueError for another target, UserError when `out` is the model itself.
    """
    _check_target(target)
    prepare_output(out, model)
    refuse_unsafe(model)
    source = onnx.load(model)
    restore(source)
    symmetric = target == "tensorrt"
    with tempfile.TemporaryDirectory() as folder, _quiet():
        made, whole = Path(folder) / "int8.onnx", Path(folder) / "whole.onnx"
        onnx.save(source, whole)
        quantize_static(
            str(whole), str(made), _Crops(crops, report),
            quant_format=QuantFormat.QDQ,
            calibrate_method=CalibrationMethod.MinMax,
            activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=reduce_range and not symmetric,
            nodes_to_quantize=body(source.graph, keep),
            extra_options={"ActivationSymmetric": symmetric, "QuantizeBias": not symmetric},
        )  # fmt: skip
        graph = onnx.load(made)
    strip_traces(graph)
    if not symmetric:  # what stays in floating point takes half the file; it computes as before
        halve(graph)
    note = {
        "source_sha256": file_sha256(model),
        "crops": len(crops),
        "target": target,
        "reduce_range": reduce_range and not symmetric,
        "keep": list(keep),
    }
    props = {p.key: p.value for p in source.metadata_props}
    onnx.helper.set_model_props(graph, props | {PROP: json.dumps(note)})
    onnx.checker.check_model(graph)
    write_whole(out, graph.SerializeToString())
    made_here(out)


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise ValueError(f"int8 is made for {' or '.join(TARGETS)}, not for {target!r}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's hint on a step that the exporter has already done (fusing norms)."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def measured_split(model: Path, labels: Path, where: Sequence[str] = ()) -> str:
    """On what `gain` can measure: 'hold', or 'all' where the labels hold nothing out, as those of
    a project. ValueError where nothing fits `where`.
    """
    data, _ = open_data(model, labels)
    split = "hold" if objects(data, hold=True) else "all"
    choose_rows(data, split, where)
    return split


@dataclass(frozen=True, slots=True)
class Gain:
    """What int8 costs and brings, on the machine that measured it."""

    nme: tuple[float, float]  # %: before, after
    ms: tuple[tuple[float, float], ...]  # per crop (before, after) at 1, 2... threads, batch 1

    @property
    def worse(self) -> float:
        """Relative rise of the NME."""
        return self.nme[1] / self.nme[0] - 1

    @property
    def faster(self) -> float:
        """How many times faster, at the thread count that gains least."""
        return min(before / after for before, after in self.ms)

    @property
    def passes(self) -> bool:
        """Is it worth shipping?"""
        return self.worse < MOST_WORSE and self.faster >= LEAST_FASTER


def gain(
    models: tuple[Path, Path],
    labels: Path,
    where: Sequence[str] = (),
    normaliser: Sequence[int] = (),
    report: Report = silent,
    split: str = "hold",
) -> Gain:
    """NME on a split and milliseconds of a model before and after, timed in alternation. `report`:
    pictures done, and how many there are for both.
    """
    nme: list[float] = []
    for number, model in enumerate(models):

        def both(done: int, of: int, number: int = number) -> None:
            report(number * of + done, len(models) * of)

        found = evaluate_model(model, [labels], split, where, normaliser, report=both)
        nme.append(found[0]["nme"])
    ms = median_ms(models, (1, 2))
    return Gain((nme[0], nme[1]), tuple((ms[models[0], n], ms[models[1], n]) for n in (1, 2)))
