"""Which engine is taken: the one asked for, or the fastest that truly works; and what is listed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from engines import choose, load_engine, status
from engines.choose import load_network, milliseconds, split
from engines.onnx import OnnxEngine
from engines.swap import SwapEngine
from tests.helpers.fake_gpu import FakeCuda, FakeTensorRT, install_cuda, install_tensorrt, uninstall


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    uninstall(monkeypatch, "tensorrt", "tensorrt_rtx", "openvino")
    install_cuda(monkeypatch, None)
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeTensorRT:
    """TensorRT-RTX on a fake GPU."""
    state = FakeTensorRT(FakeCuda())
    install_cuda(monkeypatch, state.cuda)
    install_tensorrt(monkeypatch, state)
    return state


def install_openvino(
    monkeypatch: pytest.MonkeyPatch, run: Callable[[OnnxEngine, np.ndarray], dict]
) -> None:
    """OpenVINO is installed, and does `run`."""

    class Fake(OnnxEngine):
        def __init__(self, path: Path, threads: int = 2, device: str | None = None) -> None:
            super().__init__(path, threads)
            self.provider = f"OpenVINO {device or 'CPU'}"

        def run(self, batch: np.ndarray) -> dict:
            return run(self, batch)

    module = ModuleType("openvino")
    module.__spec__ = ModuleSpec("openvino", None)
    monkeypatch.setitem(sys.modules, "openvino", module)
    monkeypatch.setattr("engines.openvino.OpenVinoEngine", Fake)


def test_names() -> None:
    assert split("onnx") == ("onnx", None) and split("onnx:cuda") == ("onnx", "cuda")
    assert split("openvino:GPU") == ("openvino", "GPU")
    for name in ("abacus", "", "ONNX", "cuda"):
        with pytest.raises(ValueError, match="there is no engine"):
            split(name)
    for name in ("tensorrt:0", "auto:cpu", "onnx:"):
        with pytest.raises(ValueError, match="names no device"):
            split(name)


def test_each_by_its_name(
    blob_onnx: Path, gpu: FakeTensorRT, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_openvino(monkeypatch, OnnxEngine.run)
    providers = {
        name: load_network(blob_onnx, 1, name).provider
        for name in ("onnx", "onnx:cpu", "openvino", "openvino:NPU", "tensorrt-rtx")
    }
    assert providers == {
        "onnx": choose.CPU, "onnx:cpu": choose.CPU, "openvino": "OpenVINO CPU",
        "openvino:NPU": "OpenVINO NPU", "tensorrt-rtx": "TensorRT-RTX",
    }  # fmt: skip


@pytest.mark.parametrize("live", [True, False])
def test_what_is_asked_for_and_is_not_there(blob_onnx: Path, live: bool) -> None:
    for name, words in {
        "tensorrt": "TensorRT is not installed; .*NVIDIA's own index",
        "tensorrt-rtx": "TensorRT-RTX is not installed; choose .*run: .*install .*tensorrt-rtx",
        "openvino": "OpenVINO is not installed",
    }.items():
        with pytest.raises(RuntimeError, match=words):
            load_network(blob_onnx, 1, name, live)
    for name in choose.ENGINES:
        with pytest.raises(FileNotFoundError):
            load_network(blob_onnx.with_name("nope.onnx"), 1, name, live)


def test_auto_without_anything_is_onnx_runtime(blob_onnx: Path) -> None:
    assert load_network(blob_onnx, 1).provider == choose.CPU


def test_auto_takes_tensorrt_where_it_works(blob_onnx: Path, gpu: FakeTensorRT) -> None:
    assert load_network(blob_onnx, 1).provider == "TensorRT-RTX"


@pytest.mark.parametrize(
    "change",
    [{"refuses_layer": True}, {"refuses_build": "no"}, {"refuses_engine": "no"}],
)
def test_auto_takes_another_where_tensorrt_does_not(
    blob_onnx: Path, gpu: FakeTensorRT, change: dict[str, object]
) -> None:
    vars(gpu).update(change)
    assert load_network(blob_onnx, 1).provider == choose.CPU


def test_auto_does_not_believe_wrong_numbers(
    blob_onnx: Path, gpu: FakeTensorRT, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = OnnxEngine.run
    real = choose.with_tensorrt

    def wrong(*args: object) -> object:
        engine = real(*args)  # type: ignore[arg-type]
        engine.run = lambda batch: {k: v + 50 for k, v in run(plain, batch).items()}  # type: ignore
        return engine

    plain = OnnxEngine(blob_onnx)
    monkeypatch.setattr(choose, "with_tensorrt", wrong)
    assert load_network(blob_onnx, 1).provider == choose.CPU


def test_auto_without_a_gpu_does_not_touch_tensorrt(blob_onnx: Path, gpu: FakeTensorRT) -> None:
    gpu.cuda.count = 0
    assert load_network(blob_onnx, 1).provider == choose.CPU and gpu.cuda.asked
    assert gpu.builds == 0


def test_live_serves_at_once(blob_onnx: Path, gpu: FakeTensorRT) -> None:
    for name in ("auto", "tensorrt-rtx"):
        engine = load_network(blob_onnx, 1, name, live=True)
        assert isinstance(engine, SwapEngine)
        engine.thread.join(20)
        assert engine.provider == "TensorRT-RTX"
    assert gpu.builds == 1, "the second one was kept from the first"


@pytest.mark.parametrize(("ours", "theirs", "taken"), [(9, 1, "OpenVINO CPU"), (1, 1, choose.CPU)])
def test_auto_times_the_cpu_engines(
    blob_onnx: Path, monkeypatch: pytest.MonkeyPatch, ours: float, theirs: float, taken: str
) -> None:
    install_openvino(monkeypatch, OnnxEngine.run)
    timed: list[str] = []

    def times(plain: OnnxEngine, others: list[OnnxEngine]) -> list[float]:
        timed.extend(e.provider for e in (plain, *others))
        return [ours, theirs]

    monkeypatch.setattr(choose, "milliseconds", times)
    assert load_network(blob_onnx, 1).provider == taken
    assert timed == [choose.CPU, "OpenVINO CPU"]


def test_a_cpu_engine_that_does_not_work(blob_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(engine: OnnxEngine, batch: np.ndarray) -> dict:
        raise ValueError("no such kernel")

    def fast_and_wrong(engine: OnnxEngine, batch: np.ndarray) -> dict:
        return {k: v * 0 for k, v in OnnxEngine.run(engine, batch).items()}

    monkeypatch.setattr(choose, "milliseconds", lambda plain, others: [9.0, 1.0])
    for run in (broken, fast_and_wrong):
        install_openvino(monkeypatch, run)
        assert load_network(blob_onnx, 1).provider == choose.CPU


def test_times_are_medians_of_runs_in_turns(blob_onnx: Path, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(choose, "perf_counter", lambda: now[0])
    slept: list[float] = []
    monkeypatch.setattr(choose, "sleep", slept.append)

    class Slow(OnnxEngine):
        calls = 0

        def run(self, batch: np.ndarray) -> dict:
            self.calls += 1
            now[0] += self.ms / 1e3 * (50 if self.calls == 7 else 1)
            return {}

    a, b = Slow(blob_onnx), Slow(blob_onnx)
    a.ms, b.ms = 3.0, 2.0  # type: ignore[attr-defined]
    assert milliseconds(a, [b]) == pytest.approx([3.0, 2.0])
    assert a.calls == b.calls == choose.TIMED + choose.WARM_UP
    assert slept == [choose.PAUSE] * (a.calls + b.calls), "as in a stream"


def test_listed(gpu: FakeTensorRT, monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall(monkeypatch, "openvino", "tensorrt")
    found = {s.name: s for s in status.statuses()}
    assert list(found) == [name for name in choose.ENGINES if name != "auto"]
    assert found["onnx"].usable and "CPU" in found["onnx"].fact
    assert not found["openvino"].usable and "not installed; run" in found["openvino"].fact
    assert not found["tensorrt"].usable and found["tensorrt"].version is None
    assert found["tensorrt-rtx"].usable
    assert found["tensorrt-rtx"].fact == "Fake 3060, compute 8.6"
    gpu.cuda.driver = 0
    (rtx,) = [s for s in status.statuses() if s.name == "tensorrt-rtx"]
    assert not rtx.usable
    assert (
        rtx.fact == "there is no NVIDIA driver here; it can still build engines for other machines"
    )


def test_load_engine_is_as_before(blob_onnx: Path) -> None:
    assert load_engine(blob_onnx, 1, "cpu").provider == choose.CPU
