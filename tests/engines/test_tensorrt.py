"""Networks in TensorRT, on a fake GPU: the numbers of ONNX Runtime, buffers, graphs, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines import load_engine, trt_load
from engines.trt import FLAVOURS
from engines.trt_cache import beside, cache_folder, read
from tests.helpers.drawn import SIZE
from tests.helpers.fake_gpu import FakeCuda, FakeTensorRT, install_cuda, install_tensorrt, uninstall

RTX, PROPER = FLAVOURS["tensorrt-rtx"], FLAVOURS["tensorrt"]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTensorRT:
    """Both flavours on one fake GPU, and a cache of its own."""
    cuda = FakeCuda()
    state = FakeTensorRT(cuda)
    install_cuda(monkeypatch, cuda)
    install_tensorrt(monkeypatch, state, "tensorrt_rtx")
    install_tensorrt(monkeypatch, state, "tensorrt")
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    return state


def crops(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (count, 3, SIZE, SIZE)).astype(np.float32)


@pytest.mark.parametrize("flavour", [RTX, PROPER], ids=["rtx", "proper"])
def test_the_same_numbers_in_every_batch(fake: FakeTensorRT, blob_onnx: Path, flavour) -> None:
    engine, plain = trt_load.load(blob_onnx, flavour), load_engine(blob_onnx)
    assert (engine.provider, engine.props) == (flavour.title, plain.props)
    for seed, count in enumerate((1, 2, 3, 8, 1, 1, 11, 1, 19)):
        batch = crops(count, seed)
        found, wanted = engine.run(batch), plain.run(batch)
        assert found.keys() == wanted.keys()
        for name in wanted:
            np.testing.assert_allclose(found[name], wanted[name], atol=1e-4)


def test_answers_are_copies(fake: FakeTensorRT, blob_onnx: Path) -> None:
    engine = trt_load.load(blob_onnx, RTX)
    first = engine.run(crops(1))
    kept = {name: value.copy() for name, value in first.items()}
    engine.run(crops(1, 7))
    assert all((first[name] == kept[name]).all() for name in kept)


def test_buffers_are_allocated_once_and_graphs_are_used(
    fake: FakeTensorRT, blob_onnx: Path
) -> None:
    engine = trt_load.load(blob_onnx, RTX)
    room, launches = fake.cuda.room, fake.cuda.launches
    assert launches == 2, "one crop and two are made ready when the network is loaded"
    for seed in range(5):
        engine.run(crops(1, seed))
        engine.run(crops(2, seed))
    assert fake.cuda.room == room and fake.cuda.launches == launches + 10


def test_without_graphs_it_is_only_slower(fake: FakeTensorRT, blob_onnx: Path) -> None:
    fake.cuda.capturable = False
    engine = trt_load.load(blob_onnx, RTX)
    found, wanted = engine.run(crops(1)), load_engine(blob_onnx).run(crops(1))
    np.testing.assert_allclose(found["xy"], wanted["xy"], atol=1e-4)
    assert fake.cuda.launches == 0


@pytest.mark.parametrize(
    "batch", [np.zeros((1, 3, 9, 9), np.float32), crops(1).astype(np.float64), crops(0)]
)
def test_a_batch_that_does_not_fit(fake: FakeTensorRT, blob_onnx: Path, batch) -> None:
    engine = trt_load.load(blob_onnx, RTX)
    with pytest.raises(ValueError, match="does not fit the network's input"):
        engine.run(batch)


@pytest.mark.parametrize("report", [None, trt_load.to_nobody], ids=["for people", "silent"])
def test_one_is_built_at_a_time(
    fake: FakeTensorRT, blob_onnx: Path, monkeypatch: pytest.MonkeyPatch, report
) -> None:
    alone, build = [], trt_load.build

    def built(*words: object) -> bytes:
        alone.append(trt_load.BUILDING.locked())
        return build(*words)

    monkeypatch.setattr(trt_load, "build", built)
    trt_load.load(blob_onnx, RTX, report)
    assert alone == [True] and not trt_load.BUILDING.locked()


def test_built_once(fake: FakeTensorRT, blob_onnx: Path, capsys: pytest.CaptureFixture) -> None:
    trt_load.load(blob_onnx, RTX)
    told = capsys.readouterr().err
    assert "TensorRT-RTX builds an engine of 'centroid.onnx'" in told and "built it in" in told
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 1 and not capsys.readouterr().err
    trt_load.load(blob_onnx, PROPER)
    assert fake.builds == 2, "another library, another engine"
    blob_onnx.write_bytes(blob_onnx.read_bytes() + b"\x32\x00")  # no words on it: the same network
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 3, "another file, another engine"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"nonsense"),
        lambda path: path.write_bytes(b""),
    ],
)
def test_a_broken_engine_is_built_again(fake: FakeTensorRT, blob_onnx: Path, damage) -> None:
    trt_load.load(blob_onnx, RTX)
    (kept,) = cache_folder().glob("*.engine")
    damage(kept)
    trt_load.load(blob_onnx, RTX).run(crops(1))
    assert fake.builds == 2
    assert read(kept).key.gpu == "Fake 3060", "and the broken file is replaced"


def test_another_gpu_gets_an_engine_of_its_own(fake: FakeTensorRT, blob_onnx: Path) -> None:
    trt_load.load(blob_onnx, RTX)
    fake.cuda.properties.name, fake.cuda.properties.minor = b"Fake 4090\0", 9
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 2 and len(list(cache_folder().glob("*.engine"))) == 2


def test_built_ahead(fake: FakeTensorRT, blob_onnx: Path) -> None:
    fake.cuda.count = 0
    place = beside(blob_onnx, "tensorrt-rtx")
    shares: list[float] = []
    trt_load.build_ahead(blob_onnx, RTX, ("8.6", "12.0"), place, shares.append)
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 2
    fake.cuda.count = 1
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 1, "it lies beside the model and is for this GPU"
    fake.cuda.properties.minor = 9
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 2, "it is not for this one"


def test_what_cannot_be_built_ahead(fake: FakeTensorRT, blob_onnx: Path, tmp_path: Path) -> None:
    fake.cuda.count = 0
    with pytest.raises(ValueError, match="builds on the GPU that will run the engine"):
        trt_load.build_ahead(blob_onnx, PROPER, ("8.6",), tmp_path / "x")
    with pytest.raises(ValueError, match=r"no compute capability '9\.0'; choose among 8\.6, 12\.0"):
        trt_load.build_ahead(blob_onnx, RTX, ("9.0",), tmp_path / "x")
    with pytest.raises(RuntimeError, match="shows no GPU"):
        trt_load.build_ahead(blob_onnx, RTX, (), tmp_path / "x")
    with pytest.raises(RuntimeError, match="shows no GPU"):
        trt_load.load(blob_onnx, PROPER)  # the fake would not survive TensorRT without a GPU
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"refuses_layer": True},
         r"does not support the layer body_3 \(GridSample\) of centroid.onnx: there is no kernel"),
        ({"refuses_build": "CUDA out of memory\nmore"}, "too little free memory to build"),
        ({"refuses_build": "no tactic\nmore"}, r"could not build centroid.onnx \(no tactic\);"),
        ({"refuses_engine": "no", "diagnostics": 16}, "too little free memory for the network"),
        ({"refuses_engine": "no", "diagnostics": 4}, "driver is too old for TensorRT-RTX; update"),
    ],
)  # fmt: skip
def test_one_sentence(fake: FakeTensorRT, blob_onnx: Path, change, words: str) -> None:
    vars(fake).update(change)
    with pytest.raises(RuntimeError, match=words) as error:
        trt_load.load(blob_onnx, RTX)
    assert "choose another --engine" in str(error.value) and "\n" not in str(error.value)


def test_an_engine_of_another_gpu_that_slipped_through(fake: FakeTensorRT, blob_onnx: Path) -> None:
    fake.refuses_engine, fake.diagnostics = "no", 2
    with pytest.raises(ValueError, match="the engine is for another GPU; build it again"):
        trt_load.load(blob_onnx, RTX)


def test_no_room_on_the_gpu(fake: FakeTensorRT, blob_onnx: Path) -> None:
    fake.cuda.room = 1000
    with pytest.raises(RuntimeError, match="no memory left for a tensor"):
        trt_load.load(blob_onnx, RTX)


def test_a_cache_that_cannot_be_written(
    fake: FakeTensorRT, blob_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "file"))
    trt_load.load(blob_onnx, RTX).run(crops(1))
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 2


def test_not_installed(
    fake: FakeTensorRT, blob_onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninstall(monkeypatch, "tensorrt_rtx")
    sentence = r"TensorRT-RTX is not installed; choose another --engine, or run: .*tensorrt-rtx"
    with pytest.raises(RuntimeError, match=sentence):
        trt_load.load(blob_onnx, RTX)


def test_no_network(fake: FakeTensorRT, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"garbage")
    with pytest.raises(ValueError, match=r"x\.onnx is not a network"):
        trt_load.load(tmp_path / "x.onnx", RTX)


def test_an_engine_beside_a_model_that_others_built(
    fake: FakeTensorRT, blob_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place = beside(blob_onnx, "tensorrt-rtx")
    trt_load.build_ahead(blob_onnx, RTX, (), place)
    trt_load.load(blob_onnx, RTX)
    assert fake.builds == 1
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "another user"))
    trt_load.load(blob_onnx, RTX).run(crops(1))
    assert fake.builds == 2
    assert "was not built by you here, so it is not used" in capsys.readouterr().err
