"""`train speed`: parameters, multiply-adds and ONNX Runtime milliseconds of checkpoints."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from engines.foreign import refuse_unsafe
from engines.onnx import spinning
from tracker.progress import Report, silent
from train.export.export import export_model
from train.loop.checkpoint import load_model
from train.networks.model import LandmarkNet


@dataclass(frozen=True, slots=True)
class Speed:
    """One network at one thread count; milliseconds per crop, batch 1."""

    name: str
    parameters: int
    mmac: float  # million multiply-adds of convolutions and linear layers
    threads: int
    p20_ms: float
    p50_ms: float


def multiply_adds(model: LandmarkNet) -> int:
    """Multiply-adds of one crop, counted layer by layer in a forward pass."""
    total = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            kernel = layer.kernel_size[0] * layer.kernel_size[1]
            total += out.numel() * kernel * layer.in_channels // layer.groups
        elif isinstance(layer, nn.Linear):
            total += out.numel() * layer.in_features

    hooks = [m.register_forward_hook(count) for m in model.modules()]
    channels = 3 if model.spec.colour == "rgb" else 1
    with torch.inference_mode():
        model.eval()(torch.zeros(1, channels, model.spec.size, model.spec.size))
    for hook in hooks:
        hook.remove()
    return total


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    refuse_unsafe(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry(*spinning())
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def median_ms(
    models: Sequence[Path], threads: Sequence[int] = (1, 2), runs: int = 200, warm_up: int = 20
) -> dict[tuple[Path, int], float]:
    """Median milliseconds of one black crop, of ONNX files at thread counts, in alternation."""
    keys = [(path, n) for path in models for n in threads]
    taken = _alternate([_session(*key) for key in keys], runs, warm_up)
    return {key: float(np.median(t)) for key, t in zip(keys, taken, strict=True)}


def _alternate(
    sessions: Sequence[onnxruntime.InferenceSession],
    runs: int,
    warm_up: int,
    report: Report = silent,
) -> list[list[float]]:
    """Milliseconds of every run of every session, interleaved so that a busy machine is fair."""
    images = [np.zeros((1, *s.get_inputs()[0].shape[1:]), np.float32) for s in sessions]
    taken: list[list[float]] = [[] for _ in sessions]
    for turn in range(runs + warm_up):
        for session, image, times in zip(sessions, images, taken, strict=True):
            start = time.perf_counter()
            session.run(None, {"image": image})
            if turn >= warm_up:
                times.append(1000 * (time.perf_counter() - start))
        report(turn + 1, runs + warm_up)
    return taken


def time_models(
    checkpoints: Sequence[Path],
    runs: int = 200,
    warm_up: int = 20,
    report: Report = silent,
) -> list[Speed]:
    """Time every checkpoint at one and two threads, in alternation. `report`: rounds of all."""
    facts, sessions = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i, path in enumerate(checkpoints):
            model, _ = load_model(path)
            export_model(path, Path(folder) / f"{i}.onnx")
            for threads in (1, 2):
                sessions.append(_session(Path(folder) / f"{i}.onnx", threads))
                count = sum(p.numel() for p in model.parameters())
                facts.append((path.parent.name, count, multiply_adds(model) / 1e6, threads))
        taken = _alternate(sessions, runs, warm_up, report)
    return [
        Speed(*fact, float(np.percentile(t, 20)), float(np.median(t)))
        for fact, t in zip(facts, taken, strict=True)
    ]
