"""The bindings of TensorRT and TensorRT-RTX, which share one interface, and their log.

Neither raises: what goes wrong is logged, and None or False comes back. So each log is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, cast

from engines.engine import first_line
from engines.installation import install

if TYPE_CHECKING:
    import tensorrt_rtx as api

ERROR = 1  # severities up to this one are errors


@dataclass(frozen=True, slots=True)
class Flavour:
    """One of the two: how we, Python and people call it, and how to get it."""

    engine: str
    module: str
    title: str
    remedy: str  # '': the extra 'tensorrt'

    @property
    def install(self) -> str:
        """What to do where it is missing."""
        return self.remedy or f"run: {install('tensorrt')}"


FLAVOURS: Mapping[str, Flavour] = {
    "tensorrt": Flavour(
        "tensorrt",
        "tensorrt",
        "TensorRT",
        "run 'pip install cuda-bindings', and install TensorRT 11 from NVIDIA's own index "
        "(see docs/engines.md)",
    ),
    "tensorrt-rtx": Flavour("tensorrt-rtx", "tensorrt_rtx", "TensorRT-RTX", ""),
}


class Bindings(Protocol):
    """What we use of either module."""

    __version__: str
    Builder: type[api.Builder]
    ComputeCapability: type[api.ComputeCapability]
    EngineInvalidityDiagnostics: type[api.EngineInvalidityDiagnostics]
    ILogger: type[api.ILogger]
    IProgressMonitor: type[api.IProgressMonitor]
    MemoryPoolType: type[api.MemoryPoolType]
    OnnxParser: type[api.OnnxParser]
    Runtime: type[api.Runtime]
    TensorIOMode: type[api.TensorIOMode]
    nptype: Callable[[api.DataType], type[Any]]


def is_installed(flavour: Flavour) -> bool:
    """Is the module there? It is not imported."""
    return find_spec(flavour.module) is not None


def bindings(flavour: Flavour) -> Bindings:
    """The module; RuntimeError in one sentence where it cannot be imported."""
    try:
        return cast(Bindings, import_module(flavour.module))
    except (ImportError, OSError) as error:  # OSError: a library of the system is missing
        known = is_installed(flavour)
        fact = f"cannot be loaded ({first_line(error)})" if known else "is not installed"
        raise RuntimeError(
            f"{flavour.title} {fact}; choose another --engine, or {flavour.install}"
        ) from error


class Log:
    """Keeps what one TensorRT object says; hand `handler` to it."""

    def __init__(self, trt: Bindings) -> None:
        """Nothing was said yet."""
        self.errors: list[str] = []
        errors = self.errors
        base: Any = trt.ILogger

        class Handler(base):  # type: ignore[misc]
            def __init__(self) -> None:
                base.__init__(self)  # pybind11 refuses `super()` for its own classes

            def log(self, severity: api.ILogger.Severity, msg: str) -> None:
                if int(severity) <= ERROR:
                    errors.append(msg)

        self.handler = cast("api.ILogger", Handler())

    def reason(self, otherwise: str) -> str:
        """The first error, shortened; the later ones follow from it."""
        return first_line(self.errors[0]) if self.errors else otherwise

    @property
    def is_out_of_memory(self) -> bool:
        """Did memory run out?"""
        return any("out of memory" in e.lower() or "OutOfMemory" in e for e in self.errors)
