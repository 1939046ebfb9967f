"""Which engines are installed, which of them run here, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from engines.cuda import find_gpu
from engines.installation import install
from engines.trt import FLAVOURS, Flavour, bindings, is_installed


@dataclass(frozen=True, slots=True)
class Status:
    """One engine here."""

    name: str  # as --engine takes it
    version: str | None  # None: not installed, or not known
    usable: bool
    fact: str


def statuses() -> list[Status]:
    """All that `--engine` takes but auto. Nothing is downloaded, and no network is loaded."""
    return [onnx(), openvino(), *(tensorrt(flavour) for flavour in FLAVOURS.values())]


def onnx() -> Status:
    """ONNX Runtime, which is always there, and its providers."""
    import onnxruntime  # after `engines`, which has switched its telemetry off

    names = [p.removesuffix("ExecutionProvider") for p in onnxruntime.get_available_providers()]
    fact = f"providers {', '.join(names)}"
    if "CUDA" not in names:
        fact += "; for an NVIDIA GPU put onnxruntime-gpu in the place of onnxruntime"
    return Status("onnx", onnxruntime.__version__, True, fact)


def openvino() -> Status:
    """OpenVINO and its devices."""
    if find_spec("openvino") is None:
        hint = f"not installed; run: {install('openvino')}"
        return Status("openvino", None, False, hint)
    from engines.openvino import new_core

    try:
        devices = new_core().available_devices
    except RuntimeError as error:
        return Status("openvino", version_of("openvino"), False, str(error))
    return Status(
        "openvino", version_of("openvino"), bool(devices), f"devices {', '.join(devices) or 'none'}"
    )


def tensorrt(flavour: Flavour) -> Status:
    """TensorRT or TensorRT-RTX. It is only imported where CUDA shows a GPU."""
    if not is_installed(flavour):
        return Status(flavour.engine, None, False, f"not installed; {flavour.install}")
    found = version_of(flavour.engine, f"{flavour.engine}-cu13")
    try:
        gpu = find_gpu()
        bindings(flavour)
    except RuntimeError as error:
        ahead = flavour.engine == "tensorrt-rtx"
        more = "; it can still build engines for other machines" if ahead else ""
        return Status(flavour.engine, found, False, f"{str(error).partition(';')[0]}{more}")
    return Status(flavour.engine, found, True, f"{gpu.name}, compute {gpu.compute}")


def version_of(*packages: str) -> str | None:
    """Of the first one that is installed."""
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return None
