"""What the paper's networks read, and from where: points, heat, classes, crops, optimiser."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tracker.find.model_file import Attribute
from tracker.types import CropRule
from train.config import FitSpec
from train.data.augment import block_out, crop_example, true_box
from train.data.pictures import Example
from train.loop.state import build_optimiser
from train.losses.paper import heat_loss
from train.networks import NetSpec
from train.networks.model import Head, LandmarkNet, argmax_points
from train.reproduce.specs import SPECS, fill_classes, row_of
from train.sets.blocks import blocks

CLASS = Attribute("class", ("a", "b", "c"))
PLAIN = NetSpec("seq_mt", 60, "gray", scaling="unit", maps=4, convs=1, kernel=3)


def test_argmax_reads_the_brightest_pixel():
    heat = torch.zeros(1, 2, 6, 9)
    heat[0, 0, 4, 7] = heat[0, 1, 2, 0] = 3.0
    assert argmax_points(heat).tolist() == [[[7.0, 4.0], [0.0, 2.0]]]
    model = LandmarkNet(2, replace(PLAIN, read="argmax"), ())
    assert torch.equal(model.points(heat)[0], argmax_points(heat))


def test_direct_coordinates_span_the_crop():
    model = LandmarkNet(2, NetSpec("comm_mt", 60, "gray"), ())
    told = torch.tensor([[[[-1.0, 0.0]], [[1.0, 0.5]]]])
    xy, spread = model.points(told)
    assert xy.tolist() == [[[0.0, 29.5], [59.0, 44.25]]]
    assert not spread.any()


@pytest.mark.parametrize(
    ("net", "source"),
    [("seq_mt", "landmarks"), ("comm_mt", "image"), ("heatmap_mt", "heat")],
)
def test_class_error_reaches_the_first_layer(net, source):
    """In all three networks; in Heatmap-MT through the heat, not through the points."""
    torch.manual_seed(0)
    read = "argmax" if source == "heat" else "soft"
    spec = replace(PLAIN, name=net, read=read)
    model = LandmarkNet(5, spec, (Head(CLASS, source, 16, 0.0, 2, "crop"),)).eval()
    out = model(torch.rand(2, 1, 60, 60) * 255)
    assert out.attributes["class"].shape == (2, 3)
    torch.nn.functional.cross_entropy(out.attributes["class"], torch.tensor([0, 2])).backward()
    first = next(p for n, p in model.net.named_parameters() if n.endswith("weight"))
    assert first.grad.abs().sum() > 0


def test_a_heads_layers_are_counted():
    model = LandmarkNet(2, PLAIN, (Head(CLASS, hidden=40, layers=1),))
    shapes = [tuple(p.shape) for p in model.heads["class"].parameters()]
    assert shapes == [(40, 4), (40,), (3, 40), (3,)]


def test_a_head_in_the_crops_frame_sees_where_the_points_are():
    torch.manual_seed(0)
    head = LandmarkNet(2, PLAIN, (Head(CLASS, frame="crop"),)).eval().heads["class"]
    seen = []
    head.layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    head(torch.tensor([[[0.0, 59.0], [29.5, 44.25]]]))
    assert seen[0].tolist() == [[-1.0, 1.0, 0.0, 0.5]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"read": "mean"}, "read takes soft or argmax, found 'mean'"),
        ({"scaling": "none"}, "scaling takes standard, unit, raw, lcn, found 'none'"),
        ({"scaling": "lcn", "colour": "rgb"}, "lcn is for gray crops"),
    ],
)
def test_wrong_values_are_named(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        LandmarkNet(2, replace(PLAIN, **change), ())
    with pytest.raises(ValueError, match="source is landmarks, image, both or heat, found 'sound'"):
        LandmarkNet(2, PLAIN, (Head(CLASS, "sound"),))


def test_scaling_by_hand():
    image = torch.tensor([[[[0.0, 255.0]]]])
    assert LandmarkNet(2, PLAIN, ()).scale(image).flatten().tolist() == [0.0, 1.0]
    standard = LandmarkNet(2, replace(PLAIN, scaling="standard"), ()).scale(image)
    assert standard.flatten().tolist() == [-127.5 / 64, 127.5 / 64]


def test_heat_loss_of_a_single_pixel_is_the_softmax_likelihood():
    heat = torch.randn(1, 1, 5, 6)
    target, mask = torch.tensor([[[3.4, 1.6]]]), torch.tensor([[True]])
    wanted = -torch.log_softmax(heat.flatten(), 0)[2 * 6 + 3]
    torch.testing.assert_close(heat_loss(heat, 1.0, target, mask, 0.0), wanted)


def example(box):
    xy = np.array([[10, 10], [30, 20]], np.float32)
    return Example(Path("x"), xy, np.ones(2, bool), box, False, {}, "", "", "", False, False)


def test_crops_around_boxes_and_pictures():
    box = np.array([20, 30, 60, 90], np.float32)
    around = true_box("face", example(box), (100, 200), CropRule(1.5, (), "box"))
    assert around.centre_xy.tolist() == [40, 60] and around.side == 90 and around.angle == 0
    whole = true_box("face", example(box), (60, 60), CropRule(1.0, (), "picture"))
    assert whole.centre_xy.tolist() == [29.5, 29.5] and whole.side == 60
    image = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    crop = crop_example(
        "object", example(box), image, 60, (), rule=CropRule(1.0, (), "picture")
    )  # fmt: skip
    assert np.array_equal(crop.bgr, image)
    assert np.allclose(crop.xy, example(box).xy)


def test_block_is_black_and_as_large_as_in_the_code():
    white = np.full((80, 80, 3), 255, np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(50):
        dark = np.argwhere(block_out(rng, white)[..., 0] == 0)
        size = dark.max(0) - dark.min(0) + 1
        assert (size >= 20).all() and (size <= 50).all()
        assert len(dark) == size.prod()


def test_optimisers_by_name():
    model = LandmarkNet(2, PLAIN, ())
    found = build_optimiser(model, FitSpec(optimiser="adadelta", lr=1.0))
    assert isinstance(found, torch.optim.Adadelta)
    assert (found.defaults["rho"], found.defaults["eps"], found.defaults["lr"]) == (0.95, 1e-8, 1.0)
    adam = build_optimiser(model, FitSpec(epsilon=1e-5))
    assert isinstance(adam, torch.optim.Adam) and adam.defaults["eps"] == 1e-5
    with pytest.raises(ValueError, match="adam, adadelta or muon, found 'sgd'"):
        build_optimiser(model, FitSpec(optimiser="sgd"))


def test_rows_and_their_terms():
    row = row_of("Seq-MT (L+ELT+A)")
    assert row.terms == {"L", "ELT", "A"} and row.name == "Seq-MT (L+ELT+A)"
    spec = SPECS["blocks"](row, 3)
    assert (spec.loss.lam, spec.loss.alpha, spec.loss.attribute, spec.seed) == (1.0, 1.0, 0.2, 3)
    only = SPECS["blocks"](row_of("Heatmap-MT (L)"), 0).loss
    assert (only.lam, only.alpha, only.attribute, only.heat, only.sigma) == (0, 0, 0, 1, 0)
    assert SPECS["shapes"](row_of("Seq-MT (A)"), 0).loss.lam == 0.0
    with pytest.raises(ValueError, match="found 'Seq-MT L'"):
        row_of("Seq-MT L")


def test_classes_come_from_the_data_where_the_spec_names_none():
    data = blocks(0, 15).fit
    spec = FitSpec(heads=(Head(Attribute("class")), Head(Attribute("pose", (), 3))))
    filled = fill_classes(spec, data)
    assert len(filled.heads[0].attribute.classes) == 15
    assert filled.heads[1].attribute.size == 3
    with pytest.raises(ValueError, match="says its mood"):
        fill_classes(FitSpec(heads=(Head(Attribute("mood")),)), data)
