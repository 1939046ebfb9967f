"""LiteRT, for the detectors' .tflite files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from engines.engine import Batch, Outputs, misfit
from engines.quiet import quiet


class LiteRTEngine:
    """A network in LiteRT (CPU). It must have exactly one input; its batch size is fixed."""

    def __init__(self, path: Path, threads: int = 2, provider: str | None = None) -> None:
        """Load it; errors as `engines.load_engine` says."""
        if provider is not None and provider.lower() not in ("cpu", "litert"):
            raise RuntimeError(
                f"LiteRT runs {path.name} on the CPU only, {provider} was demanded; "
                "leave the provider open"
            )
        try:
            with quiet():  # it announces its CPU kernels
                interpreter = Interpreter(model_path=str(path), num_threads=threads)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"{path} is not a network that LiteRT can load ({str(error)[:200]}); "
                "install landmark-tracker again if it came with it"
            ) from error
        inputs = interpreter.get_input_details()
        if len(inputs) != 1:
            raise ValueError(f"{path} has {len(inputs)} inputs; a network with one is needed")
        self._interpreter = interpreter
        self._input: int = inputs[0]["index"]
        self._shape = tuple(int(n) for n in inputs[0]["shape"])
        self._outputs: dict[str, int] = {
            d["name"]: d["index"] for d in interpreter.get_output_details()
        }
        self.provider = "LiteRT"
        self.threads = threads
        self.props: Mapping[str, str] = {}

    def run(self, batch: Batch) -> Outputs:
        """Outputs by name, copied, for one float32 batch of the network's own shape."""
        if batch.shape != self._shape or batch.dtype != np.float32:
            raise ValueError(misfit(batch, f"float32 {self._shape}"))
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(i) for name, i in self._outputs.items()}
