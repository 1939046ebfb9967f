"""An exported face model gives its irises apart, so that readers of 68 landmarks see 68."""

import numpy as np
import onnx
import pytest
import torch

from tracker.find.locate import load_model, read
from tracker.find.markups import IRISES, find_markup, irises_in
from tracker.find.model_file import Attribute, ModelInfo
from tracker.types import CropBox
from train.config import FitSpec
from train.data.faces import face_flip_pairs
from train.data.pictures import Markup
from train.evaluate.report import open_model
from train.export.export import export_model, onnx_outputs, parity
from train.loop.checkpoint import build_model, save_checkpoint
from train.losses.paper import Batch
from train.networks import NetSpec
from train.networks.model import Head

NAMES = find_markup("face68").landmarks
HEADS = (
    Head(Attribute("pose", size=3), hidden=8), Head(Attribute("place", size=3), hidden=8),
    Head(Attribute("expressions", size=52), hidden=8),
    Head(Attribute("visible", size=70), "both", hidden=8),
)  # fmt: skip
NET = NetSpec(size=64, stem=4, widths=(8, 8, 8, 8), gist=8, fine=(36, 68, 69), fine_width=8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("face")
    pairs = (*((a, b) for a, b in face_flip_pairs()), (68, 69))
    markup = Markup((*NAMES, *IRISES), ((36, 37),), pairs)
    spec = FitSpec(kind="face", net=NET, heads=HEADS)
    torch.manual_seed(0)
    model = build_model(spec, markup)
    save_checkpoint(folder / "face.safetensors", spec, markup, 0, None, model, None)
    info = export_model(folder / "face.safetensors", folder / "face.onnx")
    return folder / "face.safetensors", folder / "face.onnx", info


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, 3, 64, 64)).astype(np.float32)


def test_a_reader_of_68_landmarks_sees_68(exported):
    _, path, info = exported
    assert info.landmarks == NAMES
    assert info.markup is not None and info.markup.head_pose
    assert max(max(p) for p in info.flip_pairs) < 68
    assert [(a.name, a.width) for a in info.attributes] == [
        ("pose", 3), ("place", 3), ("expressions", 52), ("visible", 70), ("iris", 6)
    ]  # fmt: skip
    props = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert ModelInfo.from_props(props, "face.onnx") == info
    out = onnx_outputs(path, pictures(2))
    assert out["xy"].shape == (2, 68, 2) and out["iris"].shape == (2, 6)
    assert 0 <= out["expressions"].min() <= out["expressions"].max() <= 1


def test_the_graph_gives_what_torch_gives(exported):
    checkpoint, path, _ = exported
    worst = parity(checkpoint, path, pictures(5))
    assert set(worst) == {
        "xy", "score", "presence", "pose", "place", "expressions", "visible", "iris"
    }  # fmt: skip
    assert max(worst.values()) < 1e-3


def test_half_of_it_gives_nearly_the_same(exported, tmp_path):
    checkpoint, path, _ = exported
    export_model(checkpoint, tmp_path / "face.fp16.onnx", "fp16")
    whole, half = (onnx_outputs(p, pictures(2)) for p in (path, tmp_path / "face.fp16.onnx"))
    np.testing.assert_allclose(half["xy"], whole["xy"], atol=0.2)  # crop pixels
    np.testing.assert_allclose(half["iris"][:, :2], whole["iris"][:, :2], atol=0.2)


def test_finer_heat_is_not_packed_in_the_graph(exported):
    """Only to be unpacked: both take time."""
    nodes = {node.op_type for node in onnx.load(exported[1]).graph.node}
    assert not nodes & {"DepthToSpace", "SpaceToDepth"}


def test_evaluation_has_irises_after_the_landmarks(exported):
    """Of the checkpoint and of the graph alike."""
    image = torch.from_numpy(pictures(3))
    batch = Batch(
        image, torch.zeros(3, 70, 2), torch.zeros(3, 70, dtype=torch.bool), torch.ones(3), {},
        torch.zeros(3, 2, 3),
    )  # fmt: skip
    (run_a, spec_a, names_a), (run_b, spec_b, names_b) = map(open_model, exported[:2])
    assert names_a == names_b == (*NAMES, *IRISES)
    assert [h.attribute.name for h in spec_a.heads] == [h.attribute.name for h in spec_b.heads]
    a, b = run_a(batch), run_b(batch)
    for name in ("xy", "score", "visible"):
        np.testing.assert_allclose(a[name], b[name], atol=1e-3)


def test_irises_and_place_come_back_in_the_frame(exported):
    model = load_model(exported[1], engine_name="onnx")
    outputs = {k: v.copy() for k, v in onnx_outputs(exported[1], pictures(1)).items()}
    outputs["iris"][0] = [10, 20, 0.5, 30, 20, 0.75]
    outputs["place"][0] = [0.0, 0.25, 0.5]
    box = CropBox(np.array([200.0, 100.0], np.float32), 128.0, 90.0)
    found = read(outputs, 0, box, model.info)
    # turned by 90 degrees clockwise: the crop's x axis points down the frame, its y axis left
    np.testing.assert_allclose(found.attributes["place"], [200 - 32, 100, 64], atol=0.01)
    irises = found.attributes["iris"].reshape(2, 3)
    assert irises[:, 2].tolist() == [0.5, 0.75]
    step = irises[1, :2] - irises[0, :2]  # 20 crop pixels along x: 40 frame pixels down
    np.testing.assert_allclose(step, [0, 40], atol=0.01)


def test_only_a_faces_own_irises_are_given_apart():
    assert irises_in("face", (*NAMES, *IRISES)) == 2
    assert irises_in("face", NAMES) == 0
    assert irises_in("face", ("tip", *IRISES)) == 0  # a markup of people's own keeps them
    assert irises_in("object", (*NAMES, *IRISES)) == 0
