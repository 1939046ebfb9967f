"""Networks in TensorRT, and in TensorRT-RTX through the same calls: a built engine that runs.

`engines/trt_load.py` finds one, or has it built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engines.cuda import Graph, Pair, Stream
from engines.engine import Batch, Outputs, misfit
from engines.trt import Bindings, Flavour, Log
from engines.trt_cache import Stored

if TYPE_CHECKING:
    import tensorrt_rtx as api

SETTLED = 2  # runs before a graph is captured: the first ones still allocate and choose
WARM = (1, 2)  # batch sizes that are made ready when a network is loaded


class TensorRTEngine:
    """A network on the GPU. It must have exactly one input, float32."""

    def __init__(self, trt: Bindings, flavour: Flavour, stored: Stored) -> None:
        """Take an engine into the GPU's memory.

        ValueError when it must be built again; RuntimeError when that would not help: no memory,
        an old driver.
        """
        self._trt, self._log = trt, Log(trt)
        self._runtime = trt.Runtime(self._log.handler)  # must outlive the engine
        engine = self._runtime.deserialize_cuda_engine(stored.body)
        if engine is None:
            raise refusal(trt, flavour, self._runtime, stored, self._log)
        self._engine = engine
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        taken = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        if len(taken) != 1:
            raise ValueError(f"the network has the inputs {', '.join(taken)}; one is needed")
        self._input, self._names = taken[0], names
        self._shape = tuple(int(n) for n in engine.get_tensor_shape(taken[0]))
        self._most = stored.key.batches[2] if self._shape[0] < 0 else self._shape[0]
        self._stream = Stream()
        self._lanes: dict[int, Lane] = {}
        self.provider = flavour.title
        self.threads = 1
        self.props: Mapping[str, str] = stored.props
        for size in WARM:
            if size <= self._most and self._shape[0] in (-1, size):
                blank = np.zeros((size, *self._shape[1:]), np.float32)
                for _ in range(SETTLED + 1):
                    self._lane(size).run(blank)

    def run(self, batch: Batch) -> Outputs:
        """Outputs by name, copied, for one float32 batch of any size."""
        fits = batch.dtype == np.float32 and batch.shape[1:] == self._shape[1:]
        if not fits or not len(batch) or self._shape[0] not in (-1, len(batch)):
            raise ValueError(misfit(batch, f"float32 {self._shape}"))
        parts = [batch[i : i + self._most] for i in range(0, len(batch), self._most)]
        found = [self._lane(len(part)).run(part) for part in parts]
        if len(found) == 1:
            return found[0]
        return {name: np.concatenate([f[name] for f in found]) for name in found[0]}

    def _lane(self, size: int) -> Lane:
        if size not in self._lanes:
            context = new_context(self._trt, self._engine)
            if context is None:
                reason = self._log.reason("it does not say why")
                raise RuntimeError(
                    f"the GPU has no room to run the network for {size} crops ({reason}); end "
                    "other programs on it, or choose another --engine"
                )
            dtypes = {
                n: np.dtype(self._trt.nptype(self._engine.get_tensor_dtype(n))) for n in self._names
            }
            shape = (size, *self._shape[1:])
            self._lanes[size] = Lane(context, self._input, shape, dtypes, self._stream)
        return self._lanes[size]


class Lane:
    """All that runs one batch size: a context, buffers that stay where they are, and a graph."""

    def __init__(
        self,
        context: api.IExecutionContext,
        taken: str,
        shape: tuple[int, ...],
        dtypes: Mapping[str, np.dtype[Any]],
        stream: Stream,
    ) -> None:
        """`taken`: the input's name. `shape`: the input's, which never changes from here on."""
        if not context.set_input_shape(taken, shape):
            raise ValueError(f"the engine was not built for a batch {shape}; build it again")
        missing = context.infer_shapes()
        if missing:
            raise ValueError(f"the engine leaves open {', '.join(missing)}; build it again")
        self._context, self._stream = context, stream
        self._pairs = {
            name: Pair(tuple(int(n) for n in context.get_tensor_shape(name)), dtype)
            for name, dtype in dtypes.items()
        }
        for name, pair in self._pairs.items():
            if not context.set_tensor_address(name, pair.device):
                raise ValueError(f"the engine takes no buffer for {name}; build it again")
        self._taken = self._pairs.pop(taken)
        self._graph: Graph | None = None
        self._runs = 0

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Outputs by name, copied."""
        self._taken.host[...] = batch
        if self._runs == SETTLED:
            self._graph = captured(self._stream, self._enqueue)
        self._runs += 1
        if self._graph is None:
            self._enqueue()
        else:
            self._graph.launch()
        self._stream.wait()
        return {name: pair.host.copy() for name, pair in self._pairs.items()}

    def _enqueue(self) -> None:
        """There, through the network, and back; all of it is only put in line."""
        self._taken.upload(self._stream.handle)
        if not self._context.execute_async_v3(int(self._stream.handle)):
            raise RuntimeError("the GPU refused to run the network; choose another --engine")
        for pair in self._pairs.values():
            pair.download(self._stream.handle)


def captured(stream: Stream, work: Callable[[], None]) -> Graph | None:
    """The work as a graph; None where it cannot be captured, which costs speed only."""
    try:
        return Graph(stream, work)
    except RuntimeError:
        return None


def new_context(trt: Bindings, engine: api.ICudaEngine) -> api.IExecutionContext | None:
    """A context for one fixed shape.

    TensorRT-RTX compiles kernels for a shape in the background and runs general ones until then;
    a graph would keep those for ever, so it is told to compile at once.
    """
    strategy = getattr(trt, "DynamicShapesKernelSpecializationStrategy", None)
    if strategy is None:
        return engine.create_execution_context()
    config = engine.create_runtime_config()
    config.dynamic_shapes_kernel_specialization_strategy = strategy.EAGER
    return engine.create_execution_context(config)


def refusal(
    trt: Bindings, flavour: Flavour, runtime: api.Runtime, stored: Stored, log: Log
) -> ValueError | RuntimeError:
    """Why an engine could not be loaded, in one sentence."""
    bits = 0
    if hasattr(runtime, "get_engine_validity"):
        bits = int(runtime.get_engine_validity(stored.body)[1])
    why = trt.EngineInvalidityDiagnostics if bits else None
    again = "or choose another --engine"
    if log.is_out_of_memory or (why and bits & int(why.INSUFFICIENT_GPU_MEMORY)):
        fact = "the GPU has too little free memory for the network"
        return RuntimeError(f"{fact}; end other programs on it, {again}")
    if why and bits & (int(why.OLD_CUDA_DRIVER) | int(why.OLD_CUDA_RUNTIME)):
        fact = f"the NVIDIA driver is too old for {flavour.title}"
        return RuntimeError(f"{fact}; update it, {again}")
    if why and bits & int(why.UNSUPPORTED_CC):
        return ValueError("the engine is for another GPU; build it again on this one")
    reason = log.reason("it does not say why")
    return ValueError(f"{flavour.title} refused an engine ({reason}); build it again")
