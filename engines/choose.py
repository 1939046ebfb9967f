"""Which library runs a landmark network: the one that is asked for, or the fastest that works.

    engine = load_network(Path("hand21.onnx"), threads=2, engine="auto")

`engine` is one of ENGINES. After a colon `onnx` takes a provider (onnx:cuda) and `openvino` a
device (openvino:GPU).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, sleep

import numpy as np

from engines import load_engine
from engines.engine import Engine
from engines.foreign import refuse_unsafe
from engines.swap import SwapEngine, differs
from engines.trt import FLAVOURS, Flavour, is_installed

ENGINES = ("auto", "onnx", "openvino", "tensorrt", "tensorrt-rtx")
CPU = "CPUExecutionProvider"
TIMED, WARM_UP = 15, 3  # runs of each engine
# Seconds before each run: in a stream, a network runs once a frame. Without a pause OpenVINO's
# threads, which wait awake for more, look better than they are (measured in docs/engines.md).
PAUSE = 0.01
GAIN = 0.8  # another engine must need less than this share of ONNX Runtime's time
CANNOT = (OSError, ValueError, RuntimeError)


def split(engine: str) -> tuple[str, str | None]:
    """'onnx:cuda' -> ('onnx', 'cuda'). ValueError for an engine that does not exist."""
    name, colon, device = engine.partition(":")
    if name not in ENGINES:
        raise ValueError(
            f"there is no engine {engine!r}; choose {', '.join(ENGINES)}, or a provider such as "
            "onnx:cuda"
        )
    if colon and (name not in ("onnx", "openvino") or not device):
        raise ValueError(f"{engine!r} names no device; only onnx:PROVIDER and openvino:DEVICE do")
    return name, device or None


def load_network(path: Path, threads: int = 2, engine: str = "auto", live: bool = False) -> Engine:
    """Load an ONNX file into an engine; errors as `engines.load_engine` says.

    One of others is looked through and tried in a child before (`engines.foreign`).
    live: answer at once; where TensorRT must be built first, ONNX Runtime serves meanwhile.
    """
    name, device = split(engine)
    if path.is_file() and path.suffix.lower() == ".onnx":
        refuse_unsafe(path)
    if name in FLAVOURS and path.is_file():
        flavour = FLAVOURS[name]
        require(flavour)
        return with_tensorrt(path, threads, flavour, live)
    if name == "openvino" and path.is_file():
        from engines.openvino import OpenVinoEngine

        return OpenVinoEngine(path, threads, device)
    plain = load_engine(path, threads, device)
    return fastest(path, plain, live) if name == "auto" else plain


def require(flavour: Flavour) -> None:
    """RuntimeError in one sentence where it cannot run here. CUDA is asked, TensorRT is not."""
    from engines.cuda import find_gpu

    if not is_installed(flavour):
        raise RuntimeError(
            f"{flavour.title} is not installed; choose another --engine, or {flavour.install}"
        )
    find_gpu()


def with_tensorrt(path: Path, threads: int, flavour: Flavour, live: bool) -> Engine:
    """The network in TensorRT, at once or as soon as it is built."""
    from engines.trt_load import load, to_nobody

    if not live:
        return load(path, flavour)
    serving = load_engine(path, threads)
    return SwapEngine(serving, flavour.title, lambda: load(path, flavour, to_nobody))


def fastest(path: Path, plain: Engine, live: bool) -> Engine:
    """The fastest engine that truly gives the network's answers; `plain` is ONNX Runtime.

    A GPU goes first: TensorRT, then ONNX Runtime's CUDA. On the CPU what is installed is timed.
    """
    for flavour in FLAVOURS.values():
        try:
            require(flavour)
            engine = with_tensorrt(path, plain.threads, flavour, live)
        except CANNOT:
            continue
        if isinstance(engine, SwapEngine) or works(engine, plain):
            return engine
    if plain.provider != CPU or find_spec("openvino") is None:
        return plain
    from engines.openvino import OpenVinoEngine

    try:
        other = OpenVinoEngine(path, plain.threads)
    except CANNOT:
        return plain
    if not works(other, plain):
        return plain
    ours, theirs = milliseconds(plain, [other])
    return other if theirs < GAIN * ours else plain


def works(engine: Engine, plain: Engine) -> bool:
    """Does it give what ONNX Runtime gives?"""
    try:
        return differs(engine.run(noise(plain)), plain.run(noise(plain))) is None
    except CANNOT:
        return False


def milliseconds(
    plain: Engine, others: Sequence[Engine], runs: int = TIMED, pause: float = PAUSE
) -> list[float]:
    """The median time of one crop in each, run in turns so that all meet the same machine.

    `plain`, which is first in the answer, is ONNX Runtime. pause: seconds before each run.
    """
    batch, engines = noise(plain), (plain, *others)
    times: list[list[float]] = [[] for _ in engines]
    for turn in range(WARM_UP + runs):
        for engine, taken in zip(engines, times, strict=True):
            sleep(pause)
            began = perf_counter()
            engine.run(batch)
            if turn >= WARM_UP:
                taken.append(1e3 * (perf_counter() - began))
    return [float(np.median(taken)) for taken in times]


def noise(plain: Engine) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """One crop of the size that the network takes."""
    from engines.onnx import OnnxEngine

    assert isinstance(plain, OnnxEngine)
    shape = [n if isinstance(n, int) else 1 for n in plain.input_shape]
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
