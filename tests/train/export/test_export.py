"""The exported file: the same numbers as torch, and nothing of this machine inside."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from tracker.errors import UserError
from tracker.find.model_file import ModelInfo
from tracker.whole_files import file_sha256, part_of
from train.config import read_config
from train.data.batches import make_batch
from train.data.pictures import read_coco
from train.evaluate.report import open_model
from train.export.export import export_model, onnx_outputs, parity
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint


@pytest.fixture(scope="module")
def trained(blobs, tmp_path_factory):
    folder = shutil.copytree(blobs, tmp_path_factory.mktemp("export") / "blobs")
    final = folder / "run" / "model.safetensors"
    info = export_model(final, folder / "blobs.onnx")
    return final, folder / "blobs.onnx", info


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 3, 64, 64)).astype(np.float32)


def test_parity_with_torch_over_200_images(trained):
    worst = parity(trained[0], trained[1], pictures(200)[:64])
    for at in range(64, 200, 34):
        part = parity(trained[0], trained[1], pictures(200)[at : at + 34])
        worst = {k: max(v, part[k]) for k, v in worst.items()}
    assert worst["xy"] <= 0.05  # crop pixels
    assert worst["score"] <= 1e-3
    assert worst["order"] <= 1e-3


@pytest.mark.parametrize("count", [1, 2, 5])
def test_batch_is_free(trained, count):
    out = onnx_outputs(trained[1], pictures(count))
    assert out["xy"].shape == (count, 4, 2)
    assert out["presence"].shape == (count,)
    np.testing.assert_allclose(out["order"].sum(1), 1, atol=1e-5)


def test_metadata_tells_everything(trained):
    props = {p.key: p.value for p in onnx.load(trained[1]).metadata_props}
    info = ModelInfo.from_props(props, "blobs.onnx")
    assert info == trained[2]
    assert info.landmarks == ("red", "green", "blue", "white")
    assert info.edges == ((0, 1), (2, 3))
    assert (info.licence, info.data, info.size, info.beta) == ("CC0", "blobs", 64, 1.0)
    assert info.attributes[0].classes == ("red_left", "red_right")
    assert info.checkpoint_sha256 == file_sha256(trained[0])


def test_no_trace_of_this_machine(trained):
    body = trained[1].read_bytes()
    assert b".py" not in body
    assert b"site-packages" not in body
    assert not trained[1].with_name("blobs.onnx.data").exists()


@pytest.fixture(scope="module")
def half(trained):
    path, parts, rename = trained[1].with_name("blobs.fp16.onnx"), [], Path.replace
    path.write_bytes(b"an earlier output")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", lambda old, new: (parts.append(old), rename(old, new))[1])
        told = []
        assert export_model(trained[0], path, "fp16", told.append) == trained[2]
        graph = "making the network a graph"
        assert told == [f"reading {trained[0]}", graph, f"checking and writing {path}"]
    assert parts == [part_of(path)]  # a name that `train check` knows as left behind
    return path


def test_half_is_half_in_the_body_only(trained, half):
    graph = onnx.load(half).graph
    kinds = {v.name: v.type.tensor_type.elem_type for v in (*graph.value_info, *graph.input)}
    kinds |= {t.name: t.data_type for t in graph.initializer}
    taken = {op: {kinds[n.input[0]] for n in graph.node if n.op_type == op}
             for op in ("Conv", "Softmax", "ReduceSum", "Gemm")}  # fmt: skip
    single, small = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    assert taken == {"Conv": {small}, "Softmax": {single}, "ReduceSum": {single}, "Gemm": {single}}
    assert not any(n.op_type == "BatchNormalization" for n in graph.node)
    ends = [v.type.tensor_type.elem_type for v in (*graph.input, *graph.output)]
    assert set(ends) == {single}
    assert half.stat().st_size < 0.65 * trained[1].stat().st_size


def test_half_gives_the_same_answers(trained, half):
    whole, halved = onnx_outputs(trained[1], pictures(40)), onnx_outputs(half, pictures(40))
    assert 0 < np.abs(whole["xy"] - halved["xy"]).max() <= 0.05  # crop pixels
    assert np.abs(whole["score"] - halved["score"]).max() <= 2e-3
    assert np.abs(whole["order"] - halved["order"]).max() <= 2e-3


def test_other_precisions_are_refused(trained, tmp_path):
    with pytest.raises(ValueError, match="takes fp32 or fp16, found 'int8'"):
        export_model(trained[0], tmp_path / "x.onnx", "int8")


def test_the_checkpoint_is_never_written_over(trained):
    before = trained[0].read_bytes()
    with pytest.raises(UserError, match="is the input itself and would be lost"):
        export_model(trained[0], trained[0])
    assert trained[0].read_bytes() == before


def test_checkpoint_refuses_what_is_none(tmp_path):
    bad = tmp_path / "x.safetensors"
    bad.write_bytes(b"garbage")
    with pytest.raises(ValueError, match="not safetensors"):
        load_checkpoint(bad)
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, bad)
    with pytest.raises(ValueError, match="not written by 'train fit'"):
        load_checkpoint(bad)


def test_what_depends_on_up_is_answered_for_eight_turns(tmp_path):
    """And `train evaluate` takes the one that holds: the file says what the network says."""
    data = read_coco(write_blobs(tmp_path))
    up = "up = true\n[heads.attribute]"
    config = write_config(tmp_path)
    config.write_text(config.read_text().replace("[heads.attribute]", up))
    spec = read_config(config)
    torch.manual_seed(0)
    model = build_model(spec, data.markup)
    save_checkpoint(tmp_path / "m.safetensors", spec, data.markup, 0, None, model, None)
    info = export_model(tmp_path / "m.safetensors", tmp_path / "m.onnx")
    assert (info.attributes[0].ups, info.attributes[0].width) == (8, 2)
    assert onnx_outputs(tmp_path / "m.onnx", pictures(3))["order"].shape == (3, 8, 2)
    assert parity(tmp_path / "m.safetensors", tmp_path / "m.onnx", pictures(8))["order"] < 1e-3
    batch = make_batch(data, [0, 1, 2], spec, None)
    batch = replace(batch, up=torch.tensor([[-1.0, 0], [0, -1], [0.5**0.5, 0.5**0.5]]))
    ours, theirs = (open_model(tmp_path / n)[0](batch) for n in ("m.safetensors", "m.onnx"))
    np.testing.assert_allclose(ours["order"], theirs["order"], atol=1e-4)
    upright = onnx_outputs(tmp_path / "m.onnx", batch.image[:1].numpy())["order"][0, 0]
    assert np.abs(ours["order"][0] - upright).max() > 1e-4
