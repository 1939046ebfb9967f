"""From an ONNX file to a TensorRT engine that runs: built ahead, kept from before, or built now."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from time import perf_counter

from engines.cuda import Gpu, find_gpu
from engines.tensorrt import TensorRTEngine
from engines.trt import Bindings, Flavour, bindings
from engines.trt_build import Plan, Report, build
from engines.trt_cache import Key, Stored, beside, cache_folder, check, key_of, read, write

# TensorRT times kernels while it builds: two builds at once would mislead each other.
BUILDING = Lock()


def load(path: Path, flavour: Flavour, report: Report | None = None) -> TensorRTEngine:
    """The engine of an ONNX file on this GPU. What is wrong or broken is built anew.

    RuntimeError in one sentence: no GPU, driver or package, no memory, an unsupported layer.
    ValueError for a file that is no network.
    """
    gpu = find_gpu()  # before TensorRT is touched
    trt = bindings(flavour)
    plan = Plan()
    key = key_of(path, flavour.engine, trt.__version__, plan, gpu)
    kept = cache_folder() / key.name
    ahead = beside(path, flavour.engine)
    if ahead.is_file() and not is_ours(ahead):
        print(f"{str(ahead)!r} was not built by you here, so it is not used", file=sys.stderr)
    for place in (ahead, kept):
        engine = existing(trt, flavour, key, place)
        if engine is not None:
            return engine
    stored = Stored(key, onnx_props(path), built(trt, flavour, path, plan, report))
    with suppress(OSError):  # it will be built again next time
        write(kept, stored)
    return TensorRTEngine(trt, flavour, stored)


def is_ours(place: Path) -> bool:
    """Whether an engine that is whole was built by this user; broken ones are nobody's."""
    try:
        return read(place).ours
    except (OSError, ValueError):
        return True


def existing(trt: Bindings, flavour: Flavour, key: Key, place: Path) -> TensorRTEngine | None:
    """The engine in a file; None when there is none that can be trusted."""
    try:
        stored = read(place)
        check(stored, key, place)
        return TensorRTEngine(trt, flavour, stored)
    except (OSError, ValueError):
        return None


def built(trt: Bindings, flavour: Flavour, path: Path, plan: Plan, report: Report | None) -> bytes:
    """Build it, one at a time. Without a `report`, standard error tells that it takes a moment."""
    with BUILDING:
        if report is not None:
            return build(trt, flavour, path, plan, report)
        began = perf_counter()
        print(f"{flavour.title} builds an engine of {path.name!r}, once only", file=sys.stderr)
        told = to_terminal if sys.stderr.isatty() else to_nobody
        body = build(trt, flavour, path, plan, told)
        print(f"{flavour.title} built it in {perf_counter() - began:.1f} s", file=sys.stderr)
        return body


def to_terminal(share: float) -> None:
    """How far a build is, always on the same line."""
    print(f"{share:4.0%}", end="\r", file=sys.stderr, flush=True)


def to_nobody(share: float) -> None:
    """Nothing."""


def onnx_props(path: Path) -> Mapping[str, str]:
    """The metadata of an ONNX file; ONNX Runtime is always there to read them."""
    from engines.onnx import OnnxEngine

    return OnnxEngine(path, 1, "cpu").props


def build_ahead(
    path: Path, flavour: Flavour, targets: tuple[str, ...], out: Path, report: Report = to_nobody
) -> Stored:
    """Build for the GPUs of `targets`, which need not be here; none: for the one that is.

    RuntimeError in one sentence, ValueError for an unknown target or a file that is no network,
    OSError where `out` cannot be written.
    """
    if targets and flavour.engine == "tensorrt":
        raise ValueError(
            "TensorRT builds on the GPU that will run the engine; choose '--engine tensorrt-rtx' "
            "to build for others, or drop --compute"
        )
    gpu: Gpu | None = None if targets else find_gpu()
    trt = bindings(flavour)
    plan = Plan(targets=targets)
    key = key_of(path, flavour.engine, trt.__version__, plan, gpu)
    stored = Stored(key, onnx_props(path), build(trt, flavour, path, plan, report))
    write(out, stored)
    return stored
