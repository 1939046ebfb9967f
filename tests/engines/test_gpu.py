"""On a real NVIDIA GPU only: TensorRT gives the numbers of ONNX Runtime, and keeps its engines."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

import assets
from engines import load_engine, trt_load
from engines.choose import load_network, require
from engines.swap import SwapEngine
from engines.trt import FLAVOURS

pytestmark = pytest.mark.gpu


@pytest.fixture(params=list(FLAVOURS))
def flavour(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Either flavour where it runs, with a cache of its own."""
    found = FLAVOURS[request.param]
    try:
        require(found)
    except RuntimeError as error:
        pytest.skip(f"{found.title} was not run: {error}")
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return found


@pytest.mark.parametrize("name", ["hand21", "face68"])
def test_the_same_numbers(flavour, name: str) -> None:
    path = assets.path(f"models/{name}.onnx")
    engine, plain = trt_load.load(path, flavour), load_engine(path)
    assert engine.props == plain.props
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 8, 1, 1, 1, 11):
        batch = rng.uniform(0, 255, (count, 3, 128, 128)).astype(np.float32)
        found, wanted = engine.run(batch), plain.run(batch)
        assert np.abs(found["xy"] - wanted["xy"]).max() < 0.25  # px; TensorFloat-32 is allowed
        assert np.abs(found["score"] - wanted["score"]).max() < 0.01


def test_the_second_time_it_is_only_read(flavour) -> None:
    path = assets.path("models/hand21.onnx")
    took = []
    for _ in range(2):
        began = perf_counter()
        trt_load.load(path, flavour)
        took.append(perf_counter() - began)
    print(f"{flavour.title}: built in {took[0]:.1f} s, read in {took[1]:.1f} s")
    assert took[1] < took[0]


def test_live_swaps(flavour) -> None:
    path = assets.path("models/hand21.onnx")
    engine = load_network(path, 2, flavour.engine, live=True)
    assert isinstance(engine, SwapEngine)
    batch = np.random.default_rng(0).uniform(0, 255, (1, 3, 128, 128)).astype(np.float32)
    before = engine.run(batch)
    engine.thread.join(600)
    after = engine.run(batch)
    assert engine.provider == flavour.title
    assert np.abs(after["xy"] - before["xy"]).max() < 0.25
