"""The little of CUDA that an engine needs: is there a GPU, memory, a stream, a graph.

Always asked before TensorRT is touched, which without a GPU may end the whole process.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from engines.installation import install

if TYPE_CHECKING:
    from cuda.bindings import runtime as rt

T = TypeVar("T")
OTHERWISE = "or choose another --engine"


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU."""

    name: str
    compute: str  # compute capability, such as '8.6'
    processors: int  # streaming multiprocessors
    memory: int  # bytes


def find_gpu() -> Gpu:
    """The first GPU; RuntimeError in one sentence where none can be used."""
    try:
        from cuda.bindings import runtime as rt
    except (ImportError, OSError) as missing:
        raise RuntimeError(
            f"cuda-bindings is not installed; run: {install('tensorrt')}"
        ) from missing
    error, count = rt.cudaGetDeviceCount()
    driver = rt.cudaDriverGetVersion()[1]
    if not driver:
        raise RuntimeError(f"there is no NVIDIA driver here; install one, {OTHERWISE}")
    if error == rt.cudaError_t.cudaErrorInsufficientDriver:
        needed = rt.cudaRuntimeGetVersion()[1]
        raise RuntimeError(
            f"the NVIDIA driver is too old: it knows CUDA {dotted(driver)}, and "
            f"{dotted(needed)} is needed; update it, {OTHERWISE}"
        )
    if error == rt.cudaError_t.cudaErrorNoDevice or not count:
        raise RuntimeError(f"the NVIDIA driver shows no GPU; check nvidia-smi, {OTHERWISE}")
    found = value(rt.cudaGetDeviceProperties(0), "reading the GPU's properties")
    return Gpu(
        found.name.split(b"\0")[0].decode(errors="replace"),
        f"{found.major}.{found.minor}",
        found.multiProcessorCount,
        found.totalGlobalMem,
    )


def dotted(version: int) -> str:
    """13020 -> '13.2'."""
    return f"{version // 1000}.{version % 1000 // 10}"


def done(result: tuple[rt.cudaError_t, *tuple[Any, ...]], what: str) -> None:
    """RuntimeError in one sentence when a CUDA call failed."""
    from cuda.bindings import runtime as rt

    error = result[0]
    if error == rt.cudaError_t.cudaSuccess:
        return
    if error == rt.cudaError_t.cudaErrorMemoryAllocation:
        raise RuntimeError(
            f"the GPU has no memory left for {what}; end other programs on it, {OTHERWISE}"
        )
    words = rt.cudaGetErrorString(error)[1].decode(errors="replace")
    raise RuntimeError(f"the GPU failed at {what} ({words}); start again, {OTHERWISE}")


def value(result: tuple[rt.cudaError_t, T], what: str) -> T:
    """What a CUDA call gives besides its error."""
    done(result, what)
    return result[1]


class Pair:
    """One tensor in two places: pinned memory of the host, and memory of the GPU."""

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        """Both are allocated here, once."""
        from cuda.bindings import runtime as rt

        kind = np.dtype(dtype)
        self.nbytes = int(np.prod(shape)) * kind.itemsize
        what = f"a tensor of {self.nbytes / 1e6:.1f} MB"
        self.device = int(value(rt.cudaMalloc(self.nbytes), what))
        weakref.finalize(self, rt.cudaFree, self.device)
        self._pinned = int(value(rt.cudaMallocHost(self.nbytes), what))
        weakref.finalize(self, rt.cudaFreeHost, self._pinned)
        raw = (ctypes.c_uint8 * self.nbytes).from_address(self._pinned)
        self.host: NDArray[Any] = np.ctypeslib.as_array(raw).view(kind).reshape(shape)

    def upload(self, stream: rt.cudaStream_t) -> None:
        """Host to GPU, when the stream comes to it."""
        from cuda.bindings import runtime as rt

        kind = rt.cudaMemcpyKind.cudaMemcpyHostToDevice
        copied = rt.cudaMemcpyAsync(self.device, self._pinned, self.nbytes, kind, stream)
        done(copied, "copying to the GPU")

    def download(self, stream: rt.cudaStream_t) -> None:
        """GPU to host, when the stream comes to it."""
        from cuda.bindings import runtime as rt

        kind = rt.cudaMemcpyKind.cudaMemcpyDeviceToHost
        copied = rt.cudaMemcpyAsync(self._pinned, self.device, self.nbytes, kind, stream)
        done(copied, "copying from the GPU")


class Stream:
    """A stream of its own: the default stream waits for everybody's work."""

    def __init__(self) -> None:
        """Create it."""
        from cuda.bindings import runtime as rt

        created = rt.cudaStreamCreateWithFlags(rt.cudaStreamNonBlocking)
        self.handle = value(created, "creating a stream")
        weakref.finalize(self, rt.cudaStreamDestroy, self.handle)

    def wait(self) -> None:
        """Until all that was given to it is done."""
        from cuda.bindings import runtime as rt

        done(rt.cudaStreamSynchronize(self.handle), "running the network")


class Graph:
    """What was given to a stream once, to be given to it again in one call."""

    def __init__(self, stream: Stream, work: Callable[[], None]) -> None:
        """Capture `work`, which does not run here. RuntimeError when it cannot be captured."""
        from cuda.bindings import runtime as rt

        # Thread-local: another thread may build an engine, and allocate, at the same time.
        mode = rt.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        done(rt.cudaStreamBeginCapture(stream.handle, mode), "capturing the network")
        try:
            work()
        finally:  # a stream must leave its capture whatever happened
            ended = rt.cudaStreamEndCapture(stream.handle)
        graph = value(ended, "capturing the network")
        self._stream = stream
        self._exec = value(rt.cudaGraphInstantiate(graph, 0), "making a graph of the network")
        weakref.finalize(self, rt.cudaGraphExecDestroy, self._exec)
        done(rt.cudaGraphDestroy(graph), "making a graph of the network")

    def launch(self) -> None:
        """Run it once more, with what the buffers hold now."""
        from cuda.bindings import runtime as rt

        done(rt.cudaGraphLaunch(self._exec, self._stream.handle), "running the network")
