"""The real TensorRT-RTX, without a GPU: both shipped models build; our stubs tell the truth."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import assets
from engines import trt_cache
from engines.cuda import Pair, Stream, find_gpu
from engines.trt import FLAVOURS, Log, bindings
from engines.trt_build import Plan, build
from engines.trt_load import build_ahead
from tests.helpers.drawn import centroid_onnx

ROOT = Path(__file__).parents[2]
RTX = FLAVOURS["tensorrt-rtx"]
EVERY = ("8.0", "8.6", "8.9", "12.0")  # 7.5 has no float32 matrix product there
MALFORMED = 32  # EngineInvalidityDiagnostics.MALFORMED_ENGINE
installed = pytest.mark.skipif(
    find_spec(RTX.module) is None,
    reason="TensorRT-RTX is not installed (the extra 'tensorrt'), so nothing was built with it",
)


def diagnostics(body: bytes) -> int:
    """What TensorRT-RTX says against the header of an engine; without a GPU it is all it reads."""
    trt = bindings(RTX)
    log = Log(trt)
    return int(trt.Runtime(log.handler).get_engine_validity(body)[1])


@installed
@pytest.mark.parametrize("name", ["hand21", "face68"])
def test_a_shipped_model_builds_without_a_gpu(name: str, tmp_path: Path) -> None:
    """Every layer is parsed and supported, the engine is serialised, and its header reads back."""
    shares: list[float] = []
    out = tmp_path / "x.engine"
    path = assets.path(f"models/{name}.onnx")
    stored = build_ahead(path, RTX, EVERY, out, shares.append)
    found = trt_cache.read(out)
    assert found.body == stored.body and found.key == stored.key
    assert found.key.targets == EVERY and "tracker" in found.props
    assert len(found.body) > path.stat().st_size, "the weights are in it"
    assert shares == sorted(shares) and shares[-1] == 1
    assert not diagnostics(found.body) & MALFORMED
    assert diagnostics(b"x" * 500) & MALFORMED, "what is no engine is seen to be none"


@installed
def test_the_half_form_builds_too(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch makes the fp16 form")
    from train.export.export import export_model

    half = tmp_path / "hand21.fp16.onnx"
    export_model(assets.path("models/hand21.safetensors"), half, "fp16")
    stored = build_ahead(half, RTX, ("8.6",), tmp_path / "x.engine")
    assert stored.key.precision == "fp16"
    whole = build_ahead(assets.path("models/hand21.onnx"), RTX, ("8.6",), tmp_path / "y.engine")
    assert len(stored.body) < 0.75 * len(whole.body)


@installed
def test_errors_of_the_real_one(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"layer .*_DequantizeLinear .*of hand21.int8.onnx.*ake"):
        build_ahead(assets.path("models/hand21.int8.onnx"), RTX, ("8.6",), tmp_path / "x")
    with pytest.raises(ValueError, match=r"no compute capability '9\.0'; choose among 7\.5"):
        build_ahead(assets.path("models/hand21.onnx"), RTX, ("9.0",), tmp_path / "x")
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"garbage" * 99)
    with pytest.raises(ValueError, match=r"bad\.onnx is not a network that TensorRT-RTX can read"):
        build(bindings(RTX), RTX, bad, Plan(targets=("8.6",)), lambda share: None)
    assert not (tmp_path / "x").exists()


@installed
def test_another_input_size_and_batch_are_taken_from_the_file(tmp_path: Path) -> None:
    model = centroid_onnx(tmp_path / "c.onnx")
    assert build_ahead(model, RTX, ("8.6",), tmp_path / "c.engine").body


def test_the_real_bindings_take_our_calls() -> None:
    """Without a driver each call of `engines/cuda.py` is refused for that reason, not its form."""
    if find_spec("cuda") is None:
        pytest.skip("cuda-bindings is not installed (the extra 'tensorrt'), so nothing was called")
    from cuda.bindings import runtime as rt

    if rt.cudaDriverGetVersion()[1]:
        pytest.skip(
            "there is an NVIDIA driver, so tests/engines/test_gpu.py makes these calls in earnest"
        )
    with pytest.raises(RuntimeError, match="there is no NVIDIA driver here"):
        find_gpu()
    for make in (lambda: Pair((2, 3), np.float32), Stream):
        with pytest.raises(RuntimeError, match="CUDA driver version is insufficient"):
            make()
    stream, kind = rt.cudaStream_t(0), rt.cudaMemcpyKind.cudaMemcpyHostToDevice
    mode = rt.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
    graph = rt.cudaGraphExec_t(0)
    for result in (
        rt.cudaMemcpyAsync(1, 2, 3, kind, stream), rt.cudaStreamSynchronize(stream),
        rt.cudaStreamBeginCapture(stream, mode), rt.cudaStreamEndCapture(stream),
        rt.cudaGraphInstantiate(rt.cudaGraph_t(0), 0), rt.cudaGraphLaunch(graph, stream),
        rt.cudaGraphExecDestroy(graph), rt.cudaGraphDestroy(rt.cudaGraph_t(0)),
        rt.cudaStreamDestroy(stream), rt.cudaFree(1), rt.cudaFreeHost(1),
    ):  # fmt: skip
        assert result[0] == rt.cudaError_t.cudaErrorInsufficientDriver
    assert rt.cudaDeviceProp().name.split(b"\0")[0] == b""


def names_in(stub: Path) -> list[str]:
    """'Class' and 'Class.member' of all that a stub file declares."""
    found: list[str] = []

    def walk(body: list[ast.stmt], outer: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found.append(f"{outer}{node.name}")
                if isinstance(node, ast.ClassDef):
                    walk(node.body, f"{outer}{node.name}.")
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.append(f"{outer}{node.target.id}")
            elif isinstance(node, ast.Assign):
                found.extend(f"{outer}{t.id}" for t in node.targets if isinstance(t, ast.Name))

    walk(ast.parse(stub.read_text(encoding="utf-8")).body, "")
    return found


@pytest.mark.parametrize(
    ("module", "stub"),
    [
        ("tensorrt_rtx", "tensorrt_rtx/__init__.pyi"),
        ("cuda.bindings.runtime", "cuda/bindings/runtime.pyi"),
        ("openvino", "openvino/__init__.pyi"),
    ],
)
def test_our_stubs_name_what_there_is(module: str, stub: str) -> None:
    if find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not installed, so its stubs were compared with nothing")
    if module == "openvino":
        from engines.openvino import new_core

        new_core()  # imports it without its telemetry
    real = import_module(module)
    names = names_in(ROOT / "stubs" / stub)
    assert len(names) > 15
    instances: dict[str, Any] = {}
    if module == "cuda.bindings.runtime":  # its structures make their fields when they are made
        instances["cudaDeviceProp"] = real.cudaDeviceProp()
    missing = []
    for name in names:
        outer, _, member = name.rpartition(".")
        holder = instances.get(outer) or (getattr_path(real, outer) if outer else real)
        if member != "__buffer__" and not hasattr(holder, member or name):  # C has it, before 3.12
            missing.append(name)
    assert not missing


def getattr_path(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module
