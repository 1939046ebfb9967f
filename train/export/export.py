"""From a checkpoint to the one ONNX file that the tracker runs (`tracker/find/model_file.py`)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engines.foreign import made_here
from tracker.find.markups import irises_in
from tracker.find.model_file import UPS, Attribute, ModelInfo
from tracker.whole_files import file_sha256, write_whole
from train.loop.checkpoint import Checkpoint, load_model, prepare_output
from train.networks import Localiser
from train.networks.model import LandmarkNet, attribute_values, by_up

OPSET = 18
PRECISIONS = ("fp32", "fp16")


class ExportGraph(nn.Module):
    """Raw pixels in; points, scores, presence and readable attributes out, in that order.

    The last `irises` landmarks are given apart, at the end: x, y, score of each in one row.
    """

    def __init__(self, model: LandmarkNet, irises: int = 0) -> None:
        super().__init__()
        self.model, self.irises = model, irises

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        out = self.model(image)
        attributes = [
            by_up(self.model, h, out) if h.up
            else attribute_values(h, out.attributes[h.attribute.name])
            for h in self.model.specs
        ]  # fmt: skip
        xy, score = out.xy, self.model.score(out.spread)
        if self.irises:
            spots = torch.cat([xy, score[..., None]], 2)[:, -self.irises :].flatten(1)
            xy, score = xy[:, : -self.irises], score[:, : -self.irises]
            attributes.append(spots)
        return (xy, score, out.presence.sigmoid(), *attributes)


class HalfBody(nn.Module):
    """A localiser in float16 between a float32 picture and float16 heat.

    Batch norms go into their convolutions first, in float32. What follows a localiser (softmax,
    coordinate sums, heads) is float32 whatever it gets: `LandmarkNet.finish` sees to it, since
    coordinate sums in float16 are off by .05 px where the body alone costs .003.
    """

    def __init__(self, net: Localiser) -> None:
        super().__init__()
        self.stride, self.features, self.direct = net.stride, net.features, net.direct
        fuse_norms(net)
        self.net = net.half()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """As the localiser's own, in float16."""
        heat, coarse = self.net(image.half())
        return heat, coarse

    def apart(self, image: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """As that of RcnLite, in float16."""
        found: tuple[Tensor, Tensor | None, Tensor] = self.net.apart(image.half())  # type: ignore[attr-defined]
        return found


def fuse_norms(net: Localiser) -> None:
    """Fold each batch norm that follows a convolution in a Sequential into it, in place."""
    for part in net.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for (at, conv), (after, norm) in pairwise(list(part.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, at, fuse_conv_bn_eval(conv, norm))
                setattr(part, after, nn.Identity())


def output_names(graph: ExportGraph) -> list[str]:
    """Names of the graph's outputs, in order."""
    own = [h.attribute.name for h in graph.model.specs]
    return ["xy", "score", "presence", *own, *(["iris"] if graph.irises else [])]


def graph_of(model: LandmarkNet, found: Checkpoint) -> ExportGraph:
    """What is exported of a checkpoint's network."""
    return ExportGraph(model, irises_in(found.spec.kind, found.markup.landmarks)).eval()


def describe(model: LandmarkNet, found: Checkpoint, sha: str) -> ModelInfo:
    """The metadata of an exported model."""
    spec, extra, markup = found.spec, found.extra, found.markup
    attributes = [replace(h.attribute, ups=UPS if h.up else 0) for h in spec.heads]
    irises = irises_in(spec.kind, markup.landmarks)
    count = len(markup.landmarks) - irises
    if irises:
        attributes.append(Attribute("iris", size=3 * irises))
    return ModelInfo(
        kind=spec.kind,  # type: ignore[arg-type]
        landmarks=markup.landmarks[:count],
        edges=tuple(edge for edge in markup.edges if max(edge) < count),
        flip_pairs=tuple(pair for pair in markup.flip_pairs if max(pair) < count),
        attributes=tuple(attributes),
        network=spec.net.name,
        size=spec.net.size,
        colour=spec.net.colour,
        mean=tuple(float(v) for v in model.mean.flatten()),
        std=tuple(float(v) for v in model.std.flatten()),
        beta=spec.beta,
        licence=str(extra.get("licence", "not stated")),
        data=str(extra.get("data", "not stated")),
        checkpoint_sha256=sha,
        crop=spec.crop,
        drawing=markup.drawing,
        operating_points=dict(extra.get("operating_points", {})),
    )


def strip_traces(graph: onnx.ModelProto) -> None:
    """Take out what the exporter leaves on nodes and values: stack traces with local paths."""
    graph.doc_string = ""
    graph.graph.doc_string = ""
    for part in (graph.graph.node, graph.graph.value_info, graph.graph.input, graph.graph.output):
        for item in part:
            item.doc_string = ""
            del item.metadata_props[:]
    for tensor in graph.graph.initializer:
        tensor.doc_string = ""
    del graph.graph.metadata_props[:]


def export_model(
    checkpoint: Path,
    out: Path,
    precision: str = "fp32",
    report: Callable[[str], None] = lambda _: None,
) -> ModelInfo:
    """Write one self-contained ONNX with a free batch dimension; renamed into place at the end.

    precision: 'fp16' makes the localiser half; inputs and outputs stay float32. `report` gets each
    stage as it begins. UserError when `out` is the checkpoint itself or cannot be written.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"--precision takes {' or '.join(PRECISIONS)}, found '{precision}'")
    prepare_output(out, checkpoint)
    report(f"reading {checkpoint}")
    model, found = load_model(checkpoint)
    info = describe(model, found, file_sha256(checkpoint))
    if precision == "fp16":
        model.net = HalfBody(model.net)
    whole = graph_of(model, found)
    channels = 3 if info.colour == "rgb" else 1
    example = torch.zeros(2, channels, info.size, info.size)
    report("making the network a graph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            whole, (example,), dynamo=True, opset_version=OPSET,
            input_names=["image"], output_names=output_names(whole), verbose=False,
            dynamic_shapes={"image": {0: torch.export.Dim("batch", min=1, max=64)}},
        )  # fmt: skip
    assert program is not None  # None only comes back from the old exporter writing to a file
    report(f"checking and writing {out}")
    graph = program.model_proto
    strip_traces(graph)
    onnx.helper.set_model_props(graph, info.to_props())
    onnx.checker.check_model(graph)
    write_whole(out, graph.SerializeToString())
    made_here(out)
    return info


def onnx_outputs(path: Path, image: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Run an exported file on (N, C, S, S) raw pixels."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


def parity(checkpoint: Path, path: Path, image: NDArray[np.float32]) -> dict[str, float]:
    """Largest absolute difference torch against ONNX Runtime per output; `xy` in crop pixels."""
    graph = graph_of(*load_model(checkpoint))
    with torch.inference_mode():
        wanted = graph(torch.from_numpy(image))
    found = onnx_outputs(path, image)
    return {
        name: float(np.abs(found[name] - value.numpy()).max())
        for name, value in zip(output_names(graph), wanted, strict=True)
    }
