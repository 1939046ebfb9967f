"""OpenVINO, for Intel's CPUs and GPUs (it runs on AMD's CPUs too)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engines.engine import Batch, Outputs, misfit
from engines.installation import install
from engines.quiet import quiet

if TYPE_CHECKING:
    import openvino


class OpenVinoEngine:
    """A network in OpenVINO. It must have exactly one input."""

    def __init__(self, path: Path, threads: int = 2, device: str | None = None) -> None:
        """Load it; errors as `engines.load_engine` says. `device`: as OpenVINO calls it."""
        core = new_core()
        name = (device or "CPU").upper()
        if name not in core.available_devices:
            raise RuntimeError(
                f"OpenVINO has no device {name!r} here, only {', '.join(core.available_devices)}; "
                "install its driver, or leave the device open"
            )
        # float32 sums as in the file: some CPUs would be given bfloat16 unasked.
        wishes: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
        if name == "CPU":
            wishes |= {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        try:
            with quiet():  # its readers of other formats complain there about a broken file
                model = core.read_model(str(path))
                compiled = core.compile_model(model, name, wishes)
        except RuntimeError as error:
            raise ValueError(
                f"{path} is not a network that OpenVINO can load ({reason(error)}); "
                "export it again with 'train export', or choose another --engine"
            ) from error
        if len(model.inputs) != 1:
            raise ValueError(f"{path} has {len(model.inputs)} inputs; a network with one is needed")
        self._request = compiled.create_infer_request()
        shape = compiled.inputs[0].get_partial_shape()
        self._shape = [d.get_length() if d.is_static else None for d in shape]
        # Of the model as it was read: a compiled one knows the same output by further names.
        self._names = [output.get_any_name() for output in model.outputs]
        self.provider = f"OpenVINO {name}"
        self.threads = threads
        self.props: Mapping[str, str] = props(model)

    def run(self, batch: Batch) -> Outputs:
        """Outputs by name, copied, for one float32 batch."""
        sizes = zip(batch.shape, self._shape, strict=False)
        fits = batch.ndim == len(self._shape) and all(n in (have, None) for have, n in sizes)
        if batch.dtype != np.float32 or not fits:  # OpenVINO converts, and not all sizes are seen
            raise ValueError(misfit(batch, f"float32 {self._shape}"))
        try:
            found = self._request.infer({0: batch})
        except RuntimeError as error:
            wanted = f"float32 {self._shape} ({reason(error)})"
            raise ValueError(misfit(batch, wanted)) from error
        return {name: np.asarray(found[i]) for i, name in enumerate(self._names)}


def new_core() -> openvino.Core:
    """OpenVINO, started without its telemetry; RuntimeError where it is not installed.

    `import openvino` sends an event to a statistics host through `openvino_telemetry`, and takes a
    stub of its own where that package cannot be imported; so it is made impossible to import.
    """
    modules = cast("dict[str, Any]", sys.modules)
    modules.setdefault("openvino_telemetry", None)
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise RuntimeError(
            f"OpenVINO is not installed; choose another --engine, or run: {install('openvino')}"
        ) from error
    return openvino.Core()


def props(model: openvino.Model) -> dict[str, str]:
    """The metadata_props of the ONNX file that was read."""
    if not model.has_rt_info(["framework"]):
        return {}
    found = model.get_rt_info(["framework"]).value
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def reason(error: Exception) -> str:
    """What went wrong, without the lines that say where in OpenVINO's source."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = [line for line in lines if line and not line.startswith(("Exception from", "Check "))]
    return (words or [type(error).__name__])[0][:200]
