"""The int8 form: the same description, nearly the same points, an int8 body and a float head."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from tracker.errors import UserError
from tracker.find.model_file import ModelInfo
from tracker.whole_files import file_sha256, part_of
from train.export.export import onnx_outputs
from train.export.quantize import Gain, body, check_request, gain, quantize, training_crops
from train.export.shrink import LEAST
from ui.commands.train import app


@pytest.fixture(scope="module")
def made(blobs, tmp_path_factory):
    folder = shutil.copytree(blobs, tmp_path_factory.mktemp("quantize") / "blobs")
    labels, model, out = (folder / n for n in ("labels.json", "blobs.onnx", "blobs.int8.onnx"))
    read: list[tuple[int, int]] = []
    crops = training_crops(model, labels, report=lambda *told: read.append(told))
    assert read[-1] == (len(crops), len(crops)) and len(read) == -(-len(crops) // 32)
    parts, rename = [], Path.replace
    out.write_bytes(b"an earlier output")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", lambda old, new: (parts.append(old), rename(old, new))[1])
        quantize(model, crops, out)
    assert parts == [part_of(out)]  # a name that `train check` knows as left behind
    return labels, model, out, crops


def types_of_weights(path):
    """Element type of every convolution's weight as stored, in the order of the graph."""
    graph = onnx.load(path).graph
    stored = {t.name: t.data_type for t in graph.initializer}
    source = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "DequantizeLinear"}
    weights = [n.input[1] for n in graph.node if n.op_type == "Conv"]
    return [stored[source.get(w, w)] for w in weights]


def test_the_ranges_come_from_training_crops_only(made):
    assert made[3].shape == (6, 3, 64, 64)  # eight pictures, two held out
    assert made[3].dtype == np.float32


def test_the_points_stay_where_they_were(made):
    _, model, out, crops = made
    before, after = (onnx_outputs(path, crops)["xy"] for path in (model, out))
    distance = np.linalg.norm(before - after, axis=-1)
    assert 0 < distance.mean() < 0.5  # of 64 pixels
    assert distance.max() < 2.0


def test_the_body_is_int8_and_the_heat_is_not(made):
    before, after = types_of_weights(made[1]), types_of_weights(made[2])
    assert set(before) == {TensorProto.FLOAT}
    assert set(after[:-1]) == {TensorProto.INT8}
    assert after[-1] == TensorProto.FLOAT
    assert made[2].stat().st_size < made[1].stat().st_size / 2


def test_what_stays_in_floating_point_takes_half(made, tmp_path):
    """Large weights that no convolution of the body has, in 16 bits with a cast, as shipped."""
    _, model, _, crops = made
    out, sizes = tmp_path / "kept.onnx", {}
    quantize(model, crops, out, keep=(0, 4))
    for path in (model, out):
        floats = [t for t in onnx.load(path).graph.initializer if t.data_type == TensorProto.FLOAT]
        sizes[path] = [math.prod(t.dims) for t in floats]
    assert max(sizes[model]) >= LEAST > max(sizes[out])
    halves = [t.name for t in onnx.load(out).graph.initializer if t.name.endswith(".half")]
    assert halves
    before, after = (onnx_outputs(path, crops)["xy"] for path in (model, out))
    assert np.linalg.norm(before - after, axis=-1).mean() < 0.5


def test_description_stays_and_tells_how_it_was_made(made):
    props = [{p.key: p.value for p in onnx.load(path).metadata_props} for path in made[1:3]]
    assert ModelInfo.from_props(props[1], "b") == ModelInfo.from_props(props[0], "a")
    assert json.loads(props[1]["int8"]) == {
        "source_sha256": file_sha256(made[1]),
        "crops": 6,
        "target": "cpu",
        "reduce_range": True,
        "keep": [0, 1],
    }
    assert str(made[1].parent).encode() not in made[2].read_bytes()


def test_weights_of_seven_bits_unless_told_otherwise(made, tmp_path):
    _, model, out, crops = made
    wide = tmp_path / "wide.onnx"
    quantize(model, crops, wide, reduce_range=False)

    def most(path):
        tensors = [onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer]
        return max(np.abs(t.astype(int)).max() for t in tensors if t.dtype == np.int8 and t.ndim)

    assert most(out) <= 64
    assert most(wide) == 127


def test_for_tensorrt_all_zero_points_are_zero_and_biases_stay_floats(made, tmp_path):
    _, model, _, crops = made
    out = tmp_path / "rtx.onnx"
    quantize(model, crops, out, target="tensorrt")
    graph = onnx.load(out).graph
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    points = [
        stored[n.input[2]]
        for n in graph.node
        if n.op_type in ("QuantizeLinear", "DequantizeLinear") and len(n.input) > 2
    ]
    assert points
    assert all(p.dtype == np.int8 and not p.any() for p in points)
    assert not any(t.dtype == np.int32 for t in stored.values())


def test_gain_measures_both(made):
    labels, model, out, _ = made
    told: list[tuple[int, int]] = []
    found = gain((model, out), labels, report=lambda *share: told.append(share))
    done, of = zip(*told, strict=True)
    assert done[-1] == of[-1] and len(set(of)) == 1 and list(done) == sorted(set(done))
    assert found.nme[0] != found.nme[1]
    assert found.worse < 0.5
    assert len(found.ms) == 2
    assert min(min(pair) for pair in found.ms) > 0


def test_bars():
    good = Gain((4.0, 4.07), ((2.0, 1.0), (1.3, 1.0)))
    assert (round(good.worse, 4), good.faster) == (0.0175, 1.3)
    assert good.passes
    assert not Gain((4.0, 4.08), good.ms).passes
    assert not Gain(good.nme, ((2.0, 1.0), (1.29, 1.0))).passes


def test_refusals(made, tmp_path):
    labels, model, _, crops = made
    with pytest.raises(ValueError, match="cpu or tensorrt, not for 'npu'"):
        quantize(model, crops, tmp_path / "x.onnx", target="npu")
    assert not list(tmp_path.iterdir())
    other = json.loads(labels.read_text())
    for image in other["images"]:
        image["split"] = "hold"
    held = labels.with_name("held.json")
    held.write_text(json.dumps(other))
    with pytest.raises(ValueError, match="no training object"):
        training_crops(model, held)
    with pytest.raises(ValueError, match="fewer than two convolutions"):
        body(helper.make_graph([helper.make_node("Relu", ["a"], ["b"])], "g", [], []))


def test_no_input_is_written_over(made):
    labels, model, _, crops = made
    before = model.read_bytes(), labels.read_bytes()
    with pytest.raises(UserError, match="is the input itself and would be lost"):
        quantize(model, crops, model)
    for out in (model, labels):
        with pytest.raises(UserError, match="is the input itself and would be lost"):
            check_request(model, labels, out, "cpu")
    assert (model.read_bytes(), labels.read_bytes()) == before


def test_the_command_refuses_before_the_long_work(made, tmp_path, monkeypatch):
    def long_work(*_):
        raise AssertionError("the crops were made")

    monkeypatch.setattr("train.export.quantize.training_crops", long_work)
    labels, model, _, _ = made
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    new = tmp_path / "new.onnx"
    for source, out, more, message in (
        (model, model, [], "is the input itself"),
        (model, labels, [], "is the input itself"),
        (model, new, ["--normaliser", "1,40"], "from 0 to 3, found 1,40"),
        (model, new, ["--normaliser", "1"], "takes two indices (36,45), found '1'"),
        (model, new, ["--target", "npu"], "cpu or tensorrt, not for 'npu'"),
        (broken, new, [], "is not a network that can be run here: it is no ONNX file, or damaged"),
        (model.parent / "run" / "model.safetensors", new, [], "made from an exported .onnx"),
    ):
        words = ["quantize", source, "--data", labels, "--out", out, *more]
        found = CliRunner().invoke(app, [str(word) for word in words])
        assert isinstance(found.exception, ValueError | UserError), found.exception
        assert message in str(found.exception)
    assert not new.exists()


def test_the_command_measures_on_what_there_is(made, tmp_path, monkeypatch):
    labels, model, _, _ = made
    coco = json.loads(labels.read_text())
    for image in coco["images"]:
        del image["split"]
    nothing_held, out = labels.with_name("project.json"), tmp_path / "new.onnx"
    nothing_held.write_text(json.dumps(coco))
    words = ["quantize", str(model), "--data", str(nothing_held), "--out", str(out)]
    other = CliRunner().invoke(app, [*words, "--where", "source=none"])
    assert "no example fits split 'all' source=none" in str(other.exception)
    assert not out.exists(), "said before anything is made"
    monkeypatch.setattr("train.export.quantize.median_ms", lambda models, threads: {
        (m, n): 1.0 for m in models for n in threads
    })  # fmt: skip
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0 and out.is_file(), found.exception
    assert "project.json holds nothing out" in found.output
    assert "NME on the labels that it learnt from" in found.output

    def interrupted(models, threads):
        raise KeyboardInterrupt

    monkeypatch.setattr("train.export.quantize.median_ms", interrupted)
    assert CliRunner().invoke(app, words).exit_code != 0
    assert not out.exists(), "nobody measured it"


def test_convolutions_at_both_ends_can_be_kept():
    kinds = ["Sub", "Conv", "Relu", "Conv", "Add", "Conv", "Conv", "Softmax"]
    nodes = [helper.make_node(k, ["a"], ["b"], f"{i}") for i, k in enumerate(kinds)]
    graph = helper.make_graph(nodes, "g", [], [])
    assert body(graph) == ["1", "2", "3", "4", "5"]
    assert body(graph, (1, 2)) == ["3", "4"]
    with pytest.raises(ValueError, match="4 convolutions, 4 are kept"):
        body(graph, (1, 3))
    with pytest.raises(ValueError, match="the second 1 or more, found 1,0"):
        body(graph, (1, 0))
