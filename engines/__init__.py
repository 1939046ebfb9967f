"""Run a network file: one method, and a dict from suffix to loader.

    engine = load_engine("hand21.onnx", threads=2)
    outputs = engine.run(batch)          # {'xy': (N, 21, 2), ...}

This package knows nothing of hands or faces and imports nothing of the tracker. The libraries
behind a suffix are imported when a file of that suffix is loaded.

Importing it switches off ONNX Runtime's telemetry (seen in 1.32: a device id under ~/.cache and an
address to send to), which its own `disable_telemetry_events` does not do: the variable must be set
before `onnxruntime` is first imported, so whoever uses that library imports `engines` before it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engines.engine import Batch as Batch
from engines.engine import Engine as Engine
from engines.engine import Outputs as Outputs

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

Loader = Callable[[Path, int, str | None], Engine]


def _onnx(path: Path, threads: int, provider: str | None) -> Engine:
    from engines.onnx import OnnxEngine

    return OnnxEngine(path, threads, provider)


def _litert(path: Path, threads: int, provider: str | None) -> Engine:
    from engines.litert import LiteRTEngine

    return LiteRTEngine(path, threads, provider)


LOADERS: dict[str, Loader] = {".onnx": _onnx, ".tflite": _litert}


def load_engine(path: str | Path, threads: int = 2, provider: str | None = None) -> Engine:
    """Load a network file by its suffix.

    provider: None lets the engine choose (`Engine.provider` tells the outcome); a name demands
    that one, and anything else binding in its place is a RuntimeError. Raises FileNotFoundError
    for a missing file and ValueError for one that is no network.
    """
    path = Path(path)
    if path.suffix.lower() not in LOADERS:
        known = ", ".join(LOADERS)
        raise ValueError(f"no engine runs {path.name}: give a file that ends in {known}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no network file at {path}; check the path")
    if threads < 1:
        raise ValueError(f"a network needs one thread at least, {threads} were asked for")
    return LOADERS[path.suffix.lower()](path, threads, provider)
