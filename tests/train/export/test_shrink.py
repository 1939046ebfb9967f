"""Small files: half as large, and the same points to a hundredth of a pixel."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import assets
from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import read_coco
from train.export.export import export_model, onnx_outputs, parity
from train.export.shrink import halve, restore, shrink
from train.loop.checkpoint import build_model, load_checkpoint, load_model, save_checkpoint


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
    weights = [t for t in onnx.load(made / "small.onnx").graph.initializer if t.data_type == 10]
    for weight in weights:  # the last four of their bits are 0, which packages well
        assert not (onnx.numpy_helper.to_array(weight).view(np.uint16) & 15).any()
    assert weights
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
        np.testing.assert_allclose(found[name], value, rtol=1 / 120, atol=1e-6)


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


@pytest.fixture(scope="module")
def trained(made: Path) -> Path:
    """As `made`, with norms that do something."""
    model, found = load_model(made / "m.safetensors")
    dice = torch.Generator().manual_seed(1)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            for values in (part.weight.data, part.running_var):
                values.uniform_(0.5, 2.0, generator=dice)
            part.running_mean.normal_(generator=dice)
    folder = made / "trained"
    folder.mkdir()
    save_checkpoint(folder / "m.safetensors", found.spec, found.markup, 7, model, model, None, {})
    export_model(folder / "m.safetensors", folder / "m.onnx")
    shrink(folder / "m.onnx", folder / "small.onnx")
    return folder


@pytest.mark.parametrize(("model", "exact"), [("m.onnx", 1e-6), ("small.onnx", 1 / 64)])
def test_weights_that_lie_in_the_exported_model(trained, model, exact):
    """Read back they are what they were, whatever the norms did to them."""
    out = trained / f"{model}.safetensors"
    shrink(trained / "m.safetensors", out, trained / model)
    assert out.stat().st_size < 0.25 * (trained / "m.safetensors").stat().st_size
    whole, lean = load_checkpoint(trained / "m.safetensors"), load_checkpoint(out)
    assert (lean.step, lean.extra, lean.spec) == (whole.step, whole.extra, whole.spec)
    assert lean.part("ema").keys() == whole.part("ema").keys()
    for name, value in lean.part("ema").items():
        wanted = whole.part("ema")[name]
        assert value.dtype == wanted.dtype and value.shape == wanted.shape
        assert (value - wanted).abs().max() <= exact * wanted.abs().max(), name
    with pytest.raises(ValueError, match="has left its weights to"):
        shrink(out, trained / "again.safetensors", trained / model)


def test_the_model_may_say_other_things_but_must_have_these_weights(trained, tmp_path):
    for name in ("m.onnx", "lean.safetensors"):
        if name == "lean.safetensors":
            shrink(trained / "m.safetensors", trained / name, trained / "m.onnx")
        shutil.copy(trained / name, tmp_path / name)
    graph = onnx.load(tmp_path / "m.onnx")
    graph.metadata_props.add(key="card", value="said later")
    onnx.save(graph, tmp_path / "m.onnx")
    load_checkpoint(tmp_path / "lean.safetensors")
    weight = max(graph.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = onnx.numpy_helper.to_array(weight) * np.float32(1.01)
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(graph, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="not the one that was exported from it"):
        load_checkpoint(tmp_path / "lean.safetensors")
    (tmp_path / "m.onnx").unlink()
    with pytest.raises(ValueError, match=r"are in m\.onnx, which must lie beside it"):
        load_checkpoint(tmp_path / "lean.safetensors")


def test_a_model_of_another_checkpoint_takes_no_weights(made, trained):
    graph = onnx.load(trained / "m.onnx")
    for weight in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.ndim > 1:  # weights, no sizes of anything
            weight.CopyFrom(onnx.numpy_helper.from_array(-2 * values, weight.name))
    onnx.save(graph, trained / "other.onnx")
    with pytest.raises(ValueError, match="was not exported from this checkpoint"):
        shrink(trained / "m.safetensors", trained / "x.safetensors", trained / "other.onnx")
    with pytest.raises(ValueError, match="does not lie beside"):
        shrink(trained / "m.safetensors", made / "x.safetensors", trained / "m.onnx")


def test_an_output_that_its_norm_has_all_but_closed_leaves_its_weights_too(made, tmp_path):
    """Folded, its weights are so small that 16 bits hold but a few steps of them."""
    found = load_checkpoint(made / "m.safetensors")
    model, _ = load_model(made / "m.safetensors")
    norm = next(
        m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d) and len(m.weight) > 40
    )
    with torch.no_grad():
        norm.weight[3] = 1e-4
    whole, small = tmp_path / "w.safetensors", tmp_path / "c.safetensors"
    save_checkpoint(whole, found.spec, found.markup, 7, None, model, None, {})
    shrink(whole, small)
    export_model(small, tmp_path / "full.onnx")
    shrink(tmp_path / "full.onnx", tmp_path / "m.onnx")
    shrink(small, tmp_path / "left.safetensors", tmp_path / "m.onnx")
    with safe_open(tmp_path / "left.safetensors", "pt") as file:
        kept = [k for k in file.keys() if file.get_tensor(k).numel() >= 4096]  # noqa: SIM118
    assert kept == []


@pytest.mark.parametrize("note", [{}, {"model": "../m.onnx"}, {"model": "m.onnx", "weights": 3}, 5])
def test_a_note_of_somebody_elses_is_refused_in_a_sentence(trained, tmp_path, note):
    shutil.copy(trained / "m.onnx", tmp_path)
    with safe_open(trained / "m.safetensors", "pt") as file:
        header = json.loads(file.metadata()["tracker"]) | {"folded": note}
    save_file({}, tmp_path / "x.safetensors", {"tracker": json.dumps(header)})
    with pytest.raises(ValueError, match="describes its network wrongly"):
        load_checkpoint(tmp_path / "x.safetensors")


@pytest.mark.parametrize("name", ["hand21", "face68"])
def test_the_bundled_checkpoints_are_their_models(name):
    """Though most of their weights are read from these, by way of what the norms did."""
    path = assets.path(f"models/{name}.safetensors")
    size = load_checkpoint(path).spec.net.size
    image = np.random.default_rng(0).uniform(0, 255, (2, 3, size, size)).astype(np.float32)
    off = parity(path, path.with_suffix(".onnx"), image)
    assert off["xy"] < 0.02 and off["score"] < 1e-3, off
    assert path.stat().st_size < 200_000
