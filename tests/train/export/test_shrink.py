"""Small files: half as large, and the same points to a hundredth of a pixel."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import read_coco
from train.export.export import export_model, onnx_outputs
from train.export.shrink import halve, restore, shrink
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shrink")
    data = read_coco(write_blobs(folder))
    spec = read_config(write_config(folder), {"net.widths": "[24, 32, 48, 64]"})
    torch.manual_seed(0)
    model = build_model(spec, data.markup)
    save_checkpoint(folder / "m.safetensors", spec, data.markup, 7, model, model, None, {"a": 1})
    export_model(folder / "m.safetensors", folder / "m.onnx")
    return folder


def pictures() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (8, 3, 64, 64)).astype(np.float32)


def test_an_exported_model_of_half_the_size_says_the_same(made):
    shrink(made / "m.onnx", made / "small.onnx")
    sizes = [(made / n).stat().st_size for n in ("m.onnx", "small.onnx")]
    assert sizes[1] < 0.65 * sizes[0]
    a, b = (onnx_outputs(made / n, pictures()) for n in ("m.onnx", "small.onnx"))
    assert 0 < np.abs(a["xy"] - b["xy"]).max() < 0.05
    assert np.abs(a["order"] - b["order"]).max() < 1e-3
    props = [onnx.load(made / n).metadata_props for n in ("m.onnx", "small.onnx")]
    assert props[0] == props[1]


def test_restored_weights_are_near_and_the_graph_is_as_before(made):
    graph, before = onnx.load(made / "m.onnx"), onnx.load(made / "m.onnx")
    halve(graph)
    assert any(n.op_type == "Cast" for n in graph.graph.node)
    restore(graph)
    assert [n.name for n in graph.graph.node] == [n.name for n in before.graph.node]
    wanted = {t.name: onnx.numpy_helper.to_array(t) for t in before.graph.initializer}
    found = {t.name: onnx.numpy_helper.to_array(t) for t in graph.graph.initializer}
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1 / 2048, atol=1e-7)


def test_a_small_checkpoint_holds_averaged_weights_alone(made):
    shrink(made / "m.safetensors", made / "s.safetensors")
    whole, small = (load_checkpoint(made / n) for n in ("m.safetensors", "s.safetensors"))
    assert (made / "s.safetensors").stat().st_size < 0.4 * (made / "m.safetensors").stat().st_size
    assert (small.step, small.extra, small.spec) == (7, {"a": 1}, whole.spec)
    assert not small.part("model") and small.part("ema").keys() == whole.part("ema").keys()
    for name, value in small.part("ema").items():
        assert value.dtype == whole.part("ema")[name].dtype  # float32 again
        torch.testing.assert_close(value, whole.part("ema")[name], rtol=1 / 2048, atol=1e-7)


@pytest.mark.parametrize("names", [("m.onnx", "x.safetensors"), ("m.txt", "x.txt")])
def test_other_kinds_are_refused(made, names):
    with pytest.raises(ValueError, match="one of the same kind"):
        shrink(made / names[0], made / names[1])
    with pytest.raises(ValueError, match="train export"):
        shrink(made / "none.onnx", made / "x.onnx")
