from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

import assets
from engines import load_engine
from engines.onnx import CPU, OnnxEngine, choose, spinning
from tests.helpers.drawn import SIZE

CUDA = "CUDAExecutionProvider"


def test_onnx_runs_and_tells_its_facts(blob_onnx: Path) -> None:
    engine = load_engine(blob_onnx, threads=1)
    batch = np.zeros((2, 3, SIZE, SIZE), np.float32)
    batch[0, 0, 7, 3] = 99  # red at x 3, y 7
    out = engine.run(batch)
    assert out["xy"].shape == (2, 3, 2) and out["xy"].dtype == np.float32
    assert out["xy"][0, 0] == pytest.approx([3, 7], abs=1e-4)
    assert out["side"] == pytest.approx(np.array([[0.9, 0.1], [0.9, 0.1]]))
    assert (engine.provider, engine.threads) == (CPU, 1)
    assert '"red"' in engine.props["tracker"]


def test_a_wrong_batch_is_one_sentence(blob_onnx: Path) -> None:
    engine = load_engine(blob_onnx)
    for batch in (np.zeros((1, 3, 9, 9), np.float32), np.zeros((1, 3, SIZE, SIZE))):
        with pytest.raises(ValueError, match="does not fit the network's input") as error:
            engine.run(batch)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["net.onnx", "net.tflite"])
@pytest.mark.parametrize("body", [b"", b"garbage" * 99])
def test_garbage(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(ValueError, match=r"is not a network that .* can load"):
        load_engine(tmp_path / name)


def test_truncated_onnx(tmp_path: Path, blob_onnx: Path) -> None:
    (tmp_path / "cut.onnx").write_bytes(blob_onnx.read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"cut\.onnx is not a network"):
        load_engine(tmp_path / "cut.onnx")


def test_missing_and_unknown(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no network file at .*nope.onnx"):
        load_engine(tmp_path / "nope.onnx")
    with pytest.raises(ValueError, match=r"\.onnx, \.tflite"):
        load_engine(tmp_path / "net.pt")


def test_threads_must_be_positive(blob_onnx: Path) -> None:
    with pytest.raises(ValueError, match="one thread at least"):
        load_engine(blob_onnx, threads=0)


def test_a_demanded_provider_must_bind(blob_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_engine(blob_onnx, provider="cpu").provider == CPU
    with pytest.raises(RuntimeError, match="no provider 'warp'"):
        load_engine(blob_onnx, provider="warp")
    # A machine with CUDA's library but no working driver: listed as available, yet not bound.
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: [CUDA, CPU])
    demanded = pytest.raises(RuntimeError, match=f"{CUDA} was demanded .* but {CPU} bound")
    with pytest.warns(UserWarning), demanded:
        OnnxEngine(blob_onnx, provider="cuda")
    with pytest.warns(UserWarning):
        assert OnnxEngine(blob_onnx).provider == CPU  # left open, the truth is reported


def test_choose() -> None:
    assert choose(None, [CUDA, "TensorrtExecutionProvider", CPU]) == (CUDA, CPU)
    assert choose(None, [CPU]) == (CPU,)
    assert choose("cuda", [CUDA, CPU]) == choose(CUDA, [CUDA, CPU]) == (CUDA, CPU)
    assert choose("CPU", [CUDA, CPU]) == (CPU,)


def test_litert_runs(tmp_path: Path) -> None:
    engine = load_engine(assets.path("detectors/face_detection.tflite"), threads=1)
    out = engine.run(np.zeros((1, 128, 128, 3), np.float32))
    assert sorted(v.shape for v in out.values()) == [(1, 896, 1), (1, 896, 16)]
    assert (engine.provider, engine.threads, engine.props) == ("LiteRT", 1, {})
    with pytest.raises(ValueError, match="does not fit"):
        engine.run(np.zeros((2, 128, 128, 3), np.float32))
    with pytest.raises(RuntimeError, match="CPU only"):
        load_engine(assets.path("detectors/face_detection.tflite"), provider="cuda")


def test_answers_are_copies() -> None:
    """LiteRT lends views of its own memory when asked wrongly."""
    engine = load_engine(assets.path("detectors/face_detection.tflite"), threads=1)
    first = engine.run(np.zeros((1, 128, 128, 3), np.float32))
    kept = {k: v.copy() for k, v in first.items()}
    engine.run(np.full((1, 128, 128, 3), 0.7, np.float32))
    assert all((first[k] == kept[k]).all() for k in kept)


def test_idle_threads_sleep() -> None:
    engine = OnnxEngine(assets.path("models/hand21.onnx"), threads=2)
    crop = np.zeros((1, 3, 128, 128), np.float32)
    engine.run(crop)
    began, cpu_began = time.monotonic(), time.process_time()
    for _ in range(20):  # with threads that stay awake, one core works all the time
        engine.run(crop)
        time.sleep(0.03)
    assert time.process_time() - cpu_began < 0.35 * (time.monotonic() - began)


def test_spinning_of_old_versions() -> None:
    assert spinning("1.32.0") == ("session.intra_op.spin_duration_us", "20")
    assert spinning("2.0.0") == spinning("1.33.0") == spinning("1.32.0")
    assert spinning("1.31.2") == ("session.intra_op.allow_spinning", "0")
