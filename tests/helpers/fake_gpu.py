"""A GPU and a TensorRT for tests: memory is the host's, and a built engine is the ONNX file itself.

As with the real ones, work given to a stream is done when the stream is waited for, captured work
is only remembered, and TensorRT logs and gives None instead of raising.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

BODY = b"fake engine of "


class Error(IntEnum):
    cudaSuccess = 0
    cudaErrorMemoryAllocation = 2
    cudaErrorInsufficientDriver = 35
    cudaErrorNoDevice = 100
    cudaErrorStreamCaptureUnsupported = 900


class Kind(IntEnum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class Mode(IntEnum):
    cudaStreamCaptureModeThreadLocal = 1


class Work(list[Callable[[], None]]):
    """What a stream is to do; a graph is the same."""

    def __int__(self) -> int:
        return id(self)


@dataclass
class Properties:
    name: bytes = b"Fake 3060\0\0"
    major: int = 8
    minor: int = 6
    multiProcessorCount: int = 28
    totalGlobalMem: int = 12 << 30


@dataclass(eq=False)
class FakeCuda:
    """`cuda.bindings.runtime`, and what happened in it."""

    count: int = 1
    driver: int = 13020
    room: int = 1 << 30
    capturable: bool = True
    properties: Properties = field(default_factory=Properties)
    memory: dict[int, Any] = field(default_factory=dict)
    streams: dict[int, Work] = field(default_factory=dict)
    capturing: Work | None = None
    launches: int = 0
    asked: bool = False

    cudaError_t = Error
    cudaMemcpyKind = Kind
    cudaStreamCaptureMode = Mode
    cudaStreamNonBlocking = 1

    def cudaGetDeviceCount(self) -> tuple[Error, int | None]:
        self.asked = True
        if self.driver < 13000:
            return Error.cudaErrorInsufficientDriver, None
        return (Error.cudaSuccess, self.count) if self.count else (Error.cudaErrorNoDevice, None)

    def cudaDriverGetVersion(self) -> tuple[Error, int]:
        return Error.cudaSuccess, self.driver

    def cudaRuntimeGetVersion(self) -> tuple[Error, int]:
        return Error.cudaSuccess, 13040

    def cudaGetDeviceProperties(self, device: int) -> tuple[Error, Properties]:
        return Error.cudaSuccess, self.properties

    def cudaGetErrorString(self, error: Error) -> tuple[Error, bytes]:
        return Error.cudaSuccess, f"words for {error.name}".encode()

    def cudaMalloc(self, size: int) -> tuple[Error, int]:
        if size > self.room:
            return Error.cudaErrorMemoryAllocation, 0
        self.room -= size
        block = (ctypes.c_uint8 * size)()
        self.memory[ctypes.addressof(block)] = block
        return Error.cudaSuccess, ctypes.addressof(block)

    cudaMallocHost = cudaMalloc

    def cudaFree(self, address: int) -> tuple[Error]:
        self.room += len(self.memory.pop(address))
        return (Error.cudaSuccess,)

    cudaFreeHost = cudaFree

    def cudaMemcpyAsync(
        self, to: int, source: int, count: int, kind: Kind, stream: Work
    ) -> tuple[Error]:
        assert {to, source} <= set(self.memory), "copied from or to freed memory"
        assert count == len(self.memory[to]) == len(self.memory[source])
        self.give(stream, lambda: ctypes.memmove(to, source, count))
        return (Error.cudaSuccess,)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Error, Work]:
        assert flags == self.cudaStreamNonBlocking
        stream = Work()
        self.streams[int(stream)] = stream
        return Error.cudaSuccess, stream

    def cudaStreamDestroy(self, stream: Work) -> tuple[Error]:
        del self.streams[int(stream)]
        return (Error.cudaSuccess,)

    def cudaStreamSynchronize(self, stream: Work) -> tuple[Error]:
        assert self.capturing is None, "a capturing stream must not be waited for"
        for job in stream:
            job()
        stream.clear()
        return (Error.cudaSuccess,)

    def cudaStreamBeginCapture(self, stream: Work, mode: Mode) -> tuple[Error]:
        assert self.capturing is None and not stream
        self.capturing = Work()
        return (Error.cudaSuccess,)

    def cudaStreamEndCapture(self, stream: Work) -> tuple[Error, Work | None]:
        assert self.capturing is not None
        graph, self.capturing = self.capturing, None
        if not self.capturable:
            return Error.cudaErrorStreamCaptureUnsupported, None
        return Error.cudaSuccess, graph

    def cudaGraphInstantiate(self, graph: Work, flags: int) -> tuple[Error, Work]:
        return Error.cudaSuccess, Work(graph)

    def cudaGraphDestroy(self, graph: Work) -> tuple[Error]:
        return (Error.cudaSuccess,)

    def cudaGraphLaunch(self, graph: Work, stream: Work) -> tuple[Error]:
        self.launches += 1
        for job in graph:
            self.give(stream, job)
        return (Error.cudaSuccess,)

    def cudaGraphExecDestroy(self, graph: Work) -> tuple[Error]:
        return (Error.cudaSuccess,)

    def give(self, stream: Work, job: Callable[[], None]) -> None:
        """To the stream, or into what is being captured."""
        (stream if self.capturing is None else self.capturing).append(job)

    def view(self, address: int, shape: tuple[int, ...]) -> np.ndarray:
        return np.frombuffer(self.memory[address], np.float32).reshape(shape)


@dataclass(eq=False)
class FakeTensorRT:
    """What the module does: how often it built, and what it refuses."""

    cuda: FakeCuda
    builds: int = 0
    refuses_layer: bool = False
    refuses_build: str = ""  # what it logs when it does not build
    refuses_engine: str = ""  # or load
    diagnostics: int = 0
    steps: int = 3


def make_module(state: FakeTensorRT, name: str, version: str = "1.7.0") -> ModuleType:
    """The module `tensorrt` or `tensorrt_rtx`."""
    module: Any = ModuleType(name)
    cuda = state.cuda

    class ILogger:
        def log(self, severity: int, msg: str) -> None:
            raise AssertionError("the base class was asked")

    class IProgressMonitor:
        pass

    class Named:
        """Anything with attributes."""

        def __init__(self, **values: object) -> None:
            self.__dict__.update(values)

    class Builder:
        def __init__(self, logger: ILogger) -> None:
            assert cuda.count or name == "tensorrt_rtx", "a segmentation fault"
            self.logger = logger

        def create_network(self, flags: int) -> Any:
            assert flags == 0
            return Named(file=b"", num_inputs=0)

        def create_builder_config(self) -> Any:
            config: Any = Named(profiles=[], targets=[])
            config.add_optimization_profile = config.profiles.append
            config.set_memory_pool_limit = lambda pool, size: None
            config.set_compute_capability = lambda c, i: config.targets.append(c)
            return config

        def create_optimization_profile(self) -> Any:
            profile: Any = Named()
            profile.set_shape = lambda *shapes: profile.__dict__.update(shapes=shapes)
            return profile

        def is_network_supported(self, network: Any, config: Any) -> bool:
            return True

        def build_serialized_network(self, network: Any, config: Any) -> Any:
            state.builds += 1
            monitor = config.progress_monitor
            monitor.phase_start("all", None, state.steps)
            monitor.phase_start("a part", "all", 9)
            for step in range(state.steps):
                monitor.step_complete("a part", step)
                if not monitor.step_complete("all", step):
                    return None
            monitor.phase_finish("all")
            if state.refuses_build:
                self.logger.log(1, state.refuses_build)
                return None
            (shapes,) = [p.shapes for p in config.profiles]
            assert [s[0] for s in shapes[1:]] == [1, 2, 8] and shapes[0] == "image"
            return BODY + network.file

    class OnnxParser:
        def __init__(self, network: Any, logger: ILogger) -> None:
            self.network = network
            self.num_errors = 0

        def parse_from_file(self, path: str) -> bool:
            if state.refuses_layer:
                self.num_errors = 1
                return False
            self.network.file = Path(path).read_bytes()
            session = ort.InferenceSession(self.network.file)
            shape = [n if isinstance(n, int) else -1 for n in session.get_inputs()[0].shape]
            self.network.num_inputs = 1
            self.network.get_input = lambda i: Named(name=session.get_inputs()[0].name, shape=shape)
            return True

        def get_error(self, i: int) -> Any:
            words = "Invalid Node - body_3\nthere is no kernel for it"
            return Named(
                node_operator=lambda: "GridSample", node_name=lambda: "body_3", desc=lambda: words
            )

    class Context:
        def __init__(self, session: ort.InferenceSession) -> None:
            self.session = session
            self.addresses: dict[str, int] = {}
            self.shapes: dict[str, tuple[int, ...]] = {}

        def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
            assert not self.shapes, "a context keeps its shape"
            if not 1 <= shape[0] <= 8:
                return False
            self.shapes[name] = shape
            for out in self.session.get_outputs():
                self.shapes[out.name] = (shape[0], *out.shape[1:])
            return True

        def infer_shapes(self) -> list[str]:
            return []

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            return self.shapes[name]

        def set_tensor_address(self, name: str, address: int) -> bool:
            self.addresses[name] = address
            return True

        def execute_async_v3(self, handle: int) -> bool:
            assert self.addresses.keys() == self.shapes.keys()
            cuda.give(cuda.streams[handle], self.compute)
            return True

        def compute(self) -> None:
            (taken,) = self.session.get_inputs()
            batch = cuda.view(self.addresses[taken.name], self.shapes[taken.name])
            names = [o.name for o in self.session.get_outputs()]
            found = self.session.run(names, {taken.name: batch})
            for out, value in zip(names, found, strict=True):
                cuda.view(self.addresses[out], self.shapes[out])[...] = value

    class Engine:
        def __init__(self, body: bytes) -> None:
            self.session = ort.InferenceSession(body)
            self.all = [*self.session.get_outputs(), *self.session.get_inputs()]
            self.num_io_tensors = len(self.all)

        def get_tensor_name(self, i: int) -> str:
            return str(self.all[i].name)

        def get_tensor_mode(self, tensor: str) -> str:
            return "in" if tensor == self.all[-1].name else "out"

        def get_tensor_shape(self, tensor: str) -> list[int]:
            (found,) = [t for t in self.all if t.name == tensor]
            return [n if isinstance(n, int) else -1 for n in found.shape]

        def get_tensor_dtype(self, tensor: str) -> str:
            return "float32"

        def create_runtime_config(self) -> Any:
            return Named(dynamic_shapes_kernel_specialization_strategy="LAZY")

        def create_execution_context(self, config: Any = None) -> Context:
            if name == "tensorrt_rtx":
                assert config.dynamic_shapes_kernel_specialization_strategy == "EAGER"
            return Context(self.session)

    class Runtime:
        def __init__(self, logger: ILogger) -> None:
            assert cuda.count, "a segmentation fault"
            self.logger = logger

        def deserialize_cuda_engine(self, body: bytes) -> Engine | None:
            if state.refuses_engine or not body.startswith(BODY):
                self.logger.log(1, state.refuses_engine or "no magic\nmore words")
                return None
            return Engine(body.removeprefix(BODY))

        def get_engine_validity(self, body: bytes) -> tuple[int, int]:
            return 2, state.diagnostics

    class Capability(IntEnum):
        CURRENT = 1
        SM86 = 86
        SM120 = 120

    class Diagnostics(IntEnum):
        VERSION_MISMATCH = 1
        UNSUPPORTED_CC = 2
        OLD_CUDA_DRIVER = 4
        OLD_CUDA_RUNTIME = 8
        INSUFFICIENT_GPU_MEMORY = 16

    for made in (ILogger, IProgressMonitor, Builder, OnnxParser, Runtime):
        setattr(module, made.__name__, made)
    module.__version__ = version
    module.ComputeCapability = Capability
    module.EngineInvalidityDiagnostics = Diagnostics
    module.MemoryPoolType = Named(WORKSPACE="workspace")
    module.TensorIOMode = Named(INPUT="in")
    module.nptype = np.dtype
    if name == "tensorrt_rtx":
        module.DynamicShapesKernelSpecializationStrategy = Named(EAGER="EAGER")
    return module


def install_cuda(patch: pytest.MonkeyPatch, cuda: FakeCuda | None) -> None:
    """`cuda.bindings.runtime` is this one from now on; None: it is not installed."""
    if cuda is None:
        uninstall(patch, "cuda", "cuda.bindings", "cuda.bindings.runtime")
        return
    outer: Any = ModuleType("cuda")
    inner: Any = ModuleType("cuda.bindings")
    outer.bindings, inner.runtime = inner, cuda
    patch.setitem(sys.modules, "cuda", outer)
    patch.setitem(sys.modules, "cuda.bindings", inner)
    patch.setitem(sys.modules, "cuda.bindings.runtime", inner.runtime)


def install_tensorrt(
    patch: pytest.MonkeyPatch, state: FakeTensorRT, name: str = "tensorrt_rtx"
) -> None:
    """That module can be found and imported from now on."""
    from importlib.machinery import ModuleSpec

    module = make_module(state, name)
    module.__spec__ = ModuleSpec(name, None)
    patch.setitem(sys.modules, name, module)


def uninstall(patch: pytest.MonkeyPatch, *names: str) -> None:
    """These cannot be imported from now on."""
    for name in names:
        patch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
