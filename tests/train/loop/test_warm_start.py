"""Weights taken over by the names of landmarks and classes."""

from dataclasses import replace

import pytest
import torch

from tracker.find.model_file import Attribute
from train.config import FitSpec
from train.data.pictures import Markup
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint
from train.loop.warm_start import adapt, carry_over
from train.networks import NetSpec
from train.networks.model import Head

NET = NetSpec(size=32, stem=4, widths=(4, 4, 4, 4))
BASE = FitSpec(
    net=NET, heads=(Head(Attribute("gesture", ("none", "fist", "ok")), hidden=8),), seed=1
)


@pytest.fixture
def base(tmp_path):
    markup = Markup(("tip", "mid", "end"))
    torch.manual_seed(5)
    model = build_model(BASE, markup)
    save_checkpoint(tmp_path / "base.safetensors", BASE, markup, 0, None, model, None)
    return load_checkpoint(tmp_path / "base.safetensors")


def test_same_markup_and_heads_are_kept_whole(base, tmp_path):
    start = adapt(BASE, base.markup, base, tmp_path / "s.safetensors")
    assert start.fresh == ()
    found = load_checkpoint(tmp_path / "s.safetensors").part("ema")
    assert all(torch.equal(v, found[k]) for k, v in base.part("ema").items())


def test_rows_follow_names(base, tmp_path):
    markup = Markup(("end", "new", "tip", "more"))
    heads = (Head(Attribute("gesture", ("none", "wave", "fist")), hidden=8),)
    start = adapt(replace(BASE, heads=heads), markup, base, tmp_path / "s.safetensors")
    assert start.landmarks == 2
    old, new = base.part("ema"), load_checkpoint(tmp_path / "s.safetensors").part("ema")
    for part in ("weight", "bias"):
        assert torch.equal(new[f"net.head.{part}"][0], old[f"net.head.{part}"][2])  # end
        assert torch.equal(new[f"net.head.{part}"][2], old[f"net.head.{part}"][0])  # tip
        last = f"heads.gesture.layers.6.{part}"
        assert torch.equal(new[last][0], old[last][0])  # none
        assert torch.equal(new[last][2], old[last][1])  # fist
    first = "heads.gesture.layers.0.weight"
    assert torch.equal(new[first][:, 4:6], old[first][:, 0:2])  # x and y of tip
    same = "heads.gesture.layers.3.weight"
    assert torch.equal(new[same], old[same])
    stem = next(k for k in old if k.startswith("net.stem"))
    assert torch.equal(new[stem], old[stem])


def test_what_a_head_sees_beside_the_landmarks_is_kept(tmp_path):
    """Features of the picture and where up is: columns after those of the landmarks."""
    heads = (Head(Attribute("gesture", ("none", "fist")), "both", hidden=8, up=True),)
    spec, old = replace(BASE, heads=heads), Markup(("tip", "mid", "end"))
    path = tmp_path / "base.safetensors"
    save_checkpoint(path, spec, old, 0, None, build_model(spec, old), None)
    base = load_checkpoint(path)
    adapt(spec, Markup(("end", "tip")), base, tmp_path / "s.safetensors")
    name = "heads.gesture.layers.0.weight"
    before = base.part("ema")[name]
    after = load_checkpoint(tmp_path / "s.safetensors").part("ema")[name]
    assert before.shape[1] > 8 and torch.equal(after[:, 4:], before[:, 6:])
    assert torch.equal(after[:, :4], before[:, [4, 5, 0, 1]])


def test_another_network_is_refused(base, tmp_path):
    other = replace(BASE, net=replace(NET, widths=(4, 4, 4, 8)))
    with pytest.raises(ValueError, match="start from scratch or use the base's network"):
        adapt(other, base.markup, base, tmp_path / "s.safetensors")


def test_landmarks_with_finer_heat_follow_names_too(base, tmp_path):
    """What the base has at the same resolution is kept; the others' layers start fresh."""
    markup = Markup(("end", "new", "tip"))
    spec = replace(BASE, net=replace(NET, fine=(1, 2), fine_width=4))
    model = build_model(spec, markup)
    start = carry_over(model, markup, base)
    old, new = base.part("ema"), model.state_dict()
    assert torch.equal(new["net.head.weight"][0], old["net.head.weight"][2])  # end
    assert "net.fine.head.weight" in start.fresh
    save_checkpoint(tmp_path / "fine.safetensors", spec, markup, 0, None, model, None)
    again = build_model(replace(spec, net=replace(spec.net, fine=(2, 1))), markup)
    carry_over(again, markup, load_checkpoint(tmp_path / "fine.safetensors"))
    turned = again.state_dict()["net.fine.head.weight"]
    assert torch.equal(turned, new["net.fine.head.weight"].flip(0))
