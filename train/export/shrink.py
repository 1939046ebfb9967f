"""Half the file: large weights are kept in 16 bits; what computes is as before, in 32.

A checkpoint's weight is off by at most 1/2048 of itself, which moves landmarks by hundredths of a
crop pixel. A model's is rounded further, by at most 1/120 of itself: that moves shares in
the third digit and errors not at all, and the zeros at its end make a package a fifth smaller.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open
from safetensors.torch import save

from engines.foreign import made_here, refuse_unsafe
from tracker.whole_files import write_whole
from train.loop.checkpoint import load_model, prepare_output, save_checkpoint
from train.loop.folded import leave_out

LEAST = 4096  # values of a weight that is worth it; norms and biases stay as they are
LARGEST = 6e4  # what 16 bits hold
ZEROS = 4  # of the ten bits behind a weight's first one


def shrink(source: Path, out: Path, beside: Path | None = None) -> None:
    """Write the small form of a checkpoint's averaged weights, or of an exported fp32 model.

    `beside`: a model that was exported from the checkpoint, and that will lie beside `out` for
    ever: what it holds is left out. ValueError for another kind of file; UserError where `out` is
    the source or cannot be written.
    """
    suffixes = (".safetensors", ".onnx")
    if source.suffix not in suffixes or out.suffix != source.suffix:
        raise ValueError(
            f"shrink makes a {' or '.join(suffixes)} from one of the same kind, "
            f"found {source.name} and {out.name}"
        )
    if source.suffix == ".onnx" and not source.is_file():
        raise ValueError(f"model {source} does not exist; make it with 'train export'")
    prepare_output(out, source)
    if beside is not None:
        _leave_to(source, out, beside)
        return
    if source.suffix == ".onnx":
        refuse_unsafe(source)
        graph = onnx.load(source)
        halve(graph)
        onnx.checker.check_model(graph)
        write_whole(out, graph.SerializeToString())
        made_here(out)
        return
    model, found = load_model(source)
    for weight in model.parameters():
        if weight.numel() >= LEAST and weight.abs().max() < LARGEST:
            weight.data = weight.data.half()
    save_checkpoint(out, found.spec, found.markup, found.step, None, model, None, found.extra)


def _leave_to(source: Path, out: Path, model: Path) -> None:
    if source.suffix == ".onnx" or model.absolute().parent != out.absolute().parent:
        raise ValueError(
            f"--beside is for a checkpoint and a model in the folder of its new form; "
            f"{model} does not lie beside {out}, or {source} is no checkpoint"
        )
    load_model(source)  # refuses what is no whole checkpoint
    with safe_open(source, "pt") as file:
        tensors = {k: file.get_tensor(k) for k in file.keys() if k.startswith("ema.")}  # noqa: SIM118
        header = json.loads(file.metadata()["tracker"])
    if "folded" in header:
        raise ValueError(f"{source} has left its weights to {header['folded']['model']} already")
    kept, note = leave_out(tensors, model)
    meta = {"tracker": json.dumps(header | {"folded": note})}
    write_whole(out, save(kept, metadata=meta))


def halve(graph: onnx.ModelProto) -> None:
    """Keep large float weights in 16 bits, each with a cast that a loading engine folds away."""
    casts = []
    for tensor in list(graph.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST or np.abs(values).max() >= LARGEST:
            continue
        name = f"{tensor.name}.half"
        graph.graph.initializer.remove(tensor)
        graph.graph.initializer.append(numpy_helper.from_array(rounded(values), name))
        cast = helper.make_node("Cast", [name], [tensor.name], f"{name}.cast", to=TensorProto.FLOAT)
        casts.append(cast)
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def rounded(values: NDArray[np.float32]) -> NDArray[np.float16]:
    """The same in 16 bits, the last `ZEROS` of them 0."""
    bits = values.astype(np.float16).view(np.uint16).astype(np.int64)
    whole = (bits + (1 << (ZEROS - 1))) >> ZEROS << ZEROS
    return whole.astype(np.uint16).view(np.float16)


def restore(graph: onnx.ModelProto) -> None:
    """Undo `halve`: the weights are float32 again, as near as 16 bits are."""
    halves = {t.name: t for t in graph.graph.initializer if t.name.endswith(".half")}
    for node in list(graph.graph.node):
        if node.op_type == "Cast" and node.input[0] in halves:
            tensor = halves[node.input[0]]
            values = numpy_helper.to_array(tensor).astype(np.float32)
            graph.graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
            graph.graph.initializer.remove(tensor)
            graph.graph.node.remove(node)
