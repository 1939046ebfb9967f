"""ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from engines.engine import Batch, Outputs, first_line, misfit

CPU = "CPUExecutionProvider"
# Tried in this order when no provider is demanded. TensorRT inside ONNX Runtime is left out: it
# builds for minutes at the first run.
PREFERRED = ("CUDAExecutionProvider", CPU)
# ONNX Runtime has no common base class for what a broken file raises.
LOAD_ERRORS = (
    ort_errors.InvalidProtobuf,
    ort_errors.InvalidGraph,
    ort_errors.InvalidArgument,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.Fail,
    ort_errors.RuntimeException,
)
RUN_ERRORS = (ort_errors.InvalidArgument, ort_errors.Fail, ort_errors.RuntimeException)


class OnnxEngine:
    """A network in ONNX Runtime. It must have exactly one input."""

    def __init__(self, path: Path, threads: int = 2, provider: str | None = None) -> None:
        """Load it; errors as `engines.load_engine` says."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; they also come as exceptions
        options.add_session_config_entry(*spinning())
        asked = choose(provider, ort.get_available_providers())
        try:
            session = ort.InferenceSession(str(path), options, providers=list(asked))
        except LOAD_ERRORS as error:
            raise ValueError(
                f"{path} is not a network that ONNX Runtime can load ({first_line(error)}); "
                "export it again with 'train export'"
            ) from error
        bound = session.get_providers()
        if provider is not None and bound[0] != asked[0]:
            raise RuntimeError(
                f"{asked[0]} was demanded for {path.name} but {bound[0]} bound in its place; "
                "check the driver, or leave the provider open"
            )
        if len(session.get_inputs()) != 1:
            names = ", ".join(i.name for i in session.get_inputs())
            raise ValueError(f"{path} has the inputs {names}; a network with one input is needed")
        self._session = session
        self._input = session.get_inputs()[0]
        self._outputs: list[str] = [o.name for o in session.get_outputs()]
        self.provider: str = bound[0]
        self.threads = threads
        self.props: Mapping[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    @property
    def input_shape(self) -> tuple[Any, ...]:
        """As the file states it: numbers, and names or None where any size fits."""
        return tuple(self._input.shape)

    def run(self, batch: Batch) -> Outputs:
        """Outputs by name for one float32 batch."""
        try:
            values = self._session.run(self._outputs, {self._input.name: batch})
        except RUN_ERRORS as error:
            wanted = f"{list(self.input_shape)} ({first_line(error)})"
            raise ValueError(misfit(batch, wanted)) from error
        return dict(zip(self._outputs, values, strict=True))


def spinning(version: str = ort.__version__) -> tuple[str, str]:
    """The session's entry that says how long an idle thread waits awake.

    Awake without limit, threads burn a whole core between the frames of a 30 fps stream; asleep at
    once, each of a network's many steps wakes them anew. 20 us is as cheap as none (at 30 fps 4.2
    against 4.3 CPU ms a frame) and 16 % faster (1.86 against 2.20 ms, a hand on two cores). Older
    versions know no limit: there they sleep at once.
    """
    major, minor = (int(n) for n in version.split(".")[:2])
    if (major, minor) >= (1, 32):
        return "session.intra_op.spin_duration_us", "20"
    return "session.intra_op.allow_spinning", "0"


def choose(provider: str | None, available: list[str]) -> tuple[str, ...]:
    """Providers to ask for, in order. 'cuda' stands for 'CUDAExecutionProvider', and so on."""
    if provider is None:
        return tuple(p for p in PREFERRED if p in available)
    wanted = provider.lower().removesuffix("executionprovider")
    for name in available:
        if name.lower().removesuffix("executionprovider") == wanted:
            return (name,) if name == CPU else (name, CPU)
    raise RuntimeError(
        f"ONNX Runtime here has no provider {provider!r}, only {', '.join(available)}; "
        "install onnxruntime-gpu for CUDA, or leave the provider open"
    )
