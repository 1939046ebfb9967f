"""The little of CUDA that is used: one sentence where there is no GPU, memory, streams, graphs."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from engines.cuda import Graph, Pair, Stream, dotted, find_gpu
from tests.helpers.fake_gpu import FakeCuda, install_cuda


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    made = FakeCuda()
    install_cuda(monkeypatch, made)
    return made


def test_the_gpu(cuda: FakeCuda) -> None:
    gpu = find_gpu()
    assert (gpu.name, gpu.compute, gpu.processors, gpu.memory) == ("Fake 3060", "8.6", 28, 12 << 30)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"driver": 0, "count": 0}, "there is no NVIDIA driver here; install one"),
        ({"driver": 12080}, "too old: it knows CUDA 12.8, and 13.4 is needed; update it"),
        ({"count": 0}, "the NVIDIA driver shows no GPU; check nvidia-smi"),
    ],
)
def test_no_gpu(cuda: FakeCuda, change: dict[str, int], sentence: str) -> None:
    vars(cuda).update(change)
    with pytest.raises(RuntimeError, match=sentence) as error:
        find_gpu()
    assert "choose another --engine" in str(error.value) and "\n" not in str(error.value)


def test_no_bindings(monkeypatch: pytest.MonkeyPatch) -> None:
    install_cuda(monkeypatch, None)
    with pytest.raises(RuntimeError, match="cuda-bindings is not installed"):
        find_gpu()


def test_versions() -> None:
    assert [dotted(v) for v in (13020, 12080, 13000)] == ["13.2", "12.8", "13.0"]


def test_there_and_back(cuda: FakeCuda) -> None:
    stream, here, there = Stream(), Pair((2, 3), np.float32), Pair((2, 3), np.float32)
    here.host[...] = np.arange(6).reshape(2, 3)
    here.upload(stream.handle)
    there.device = here.device  # what a network would write
    there.download(stream.handle)
    assert not there.host.any(), "nothing is done before the stream is waited for"
    stream.wait()
    np.testing.assert_array_equal(there.host, here.host)
    assert here.nbytes == 24


def test_memory_comes_back(cuda: FakeCuda) -> None:
    before = cuda.room
    pair = Pair((1000,), np.float32)
    assert cuda.room == before - 8000, "4000 bytes on each side"
    del pair
    gc.collect()
    assert cuda.room == before


def test_no_room(cuda: FakeCuda) -> None:
    cuda.room = 100
    words = r"the GPU has no memory left for a tensor of 4\.0 MB; end other programs"
    with pytest.raises(RuntimeError, match=words):
        Pair((1_000_000,), np.float32)


def test_a_graph_repeats_what_was_captured(cuda: FakeCuda) -> None:
    stream, pair = Stream(), Pair((4,), np.float32)
    cuda.view(pair.device, (4,))[...] = 7
    graph = Graph(stream, lambda: pair.download(stream.handle))
    stream.wait()
    assert not pair.host.any(), "capturing runs nothing"
    graph.launch()
    stream.wait()
    assert (pair.host == 7).all() and cuda.launches == 1


def test_a_failed_capture_is_left(cuda: FakeCuda) -> None:
    cuda.capturable = False
    stream = Stream()
    with pytest.raises(RuntimeError, match=r"capturing the network .words for cudaErrorStream"):
        Graph(stream, lambda: None)
    assert cuda.capturing is None
    cuda.capturable = True

    def fails() -> None:
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        Graph(stream, fails)
    assert cuda.capturing is None
