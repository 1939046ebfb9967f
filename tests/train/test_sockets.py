"""A network and a term of the loss from outside: one row each, and the commands use them."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from engines import load_engine
from tests.helpers.blobs import write_blobs, write_config
from tracker.find.model_file import ModelInfo
from train.config import read_config
from train.loop.fit import fit
from train.losses import TERMS, composite
from train.losses.paper import LossSpec, Seen, Term
from train.networks import NETWORKS
from ui.commands.train import main


class Dots(nn.Module):
    """One convolution; a heat pixel is two crop pixels."""

    stride, features, direct = 2, 6, False

    def __init__(self, landmarks, spec):
        super().__init__()
        self.maps = nn.Conv2d(3, self.features, 5, 2, 2)
        self.head = nn.Conv2d(self.features, landmarks, 1)

    def forward(self, image):
        maps = torch.relu(self.maps(image))
        return self.head(maps), maps


class Middle(nn.Module):
    """Every point in the middle of the crop, said in coordinates; learns where it is not."""

    stride, features, direct = 1, 3, True

    def __init__(self, landmarks, spec):
        super().__init__()
        self.xy = nn.Parameter(torch.zeros(landmarks, 1, 2))

    def forward(self, image):
        return self.xy.expand(len(image), -1, -1, -1), image.mean((2, 3), keepdim=True)


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["train", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


@pytest.mark.parametrize("net", [Dots, Middle])
def test_a_network_is_one_row(tmp_path, monkeypatch, capsys, net):
    monkeypatch.setitem(NETWORKS, "toy", net)
    write_blobs(tmp_path)
    config, run, model = write_config(tmp_path, steps=6), tmp_path / "run", tmp_path / "toy.onnx"
    own = ["--set", "net.name=toy"] + (["--set", "loss.heat=0"] if net.direct else [])
    assert command(monkeypatch, "fit", config, "--data", tmp_path, "--out", run, *own) == 0
    assert command(monkeypatch, "export", run / "model.safetensors", "--out", model) == 0
    assert "4 landmarks, 64 px rgb" in capsys.readouterr().out
    engine = load_engine(model)
    assert ModelInfo.from_props(engine.props, "toy.onnx").network == "toy"
    out = engine.run(np.full((2, 3, 64, 64), 127.0, np.float32))
    assert out["xy"].shape == (2, 4, 2)
    assert not np.allclose(out["xy"], 31.5)  # it has learnt something
    if net.direct:
        assert np.ptp(out["xy"], 0).max() < 1e-4  # and gives its coordinates as they are
    half = tmp_path / "toy.fp16.onnx"
    name = run / "model.safetensors"
    assert command(monkeypatch, "export", name, "--out", half, "--precision", "fp16") == 0
    again = load_engine(half).run(np.full((2, 3, 64, 64), 127.0, np.float32))
    assert np.abs(again["xy"] - out["xy"]).max() < 0.5


def test_a_network_that_no_row_names_is_a_sentence(tmp_path, monkeypatch, capsys):
    write_blobs(tmp_path)
    config = write_config(tmp_path, steps=6)
    own = ["--data", tmp_path, "--out", tmp_path / "run", "--set", "net.name=toy"]
    assert command(monkeypatch, "fit", config, *own) == 1
    assert "network 'toy' is unknown; there are rcn_lite, rcn," in capsys.readouterr().err


def towards_the_left(seen: Seen) -> torch.Tensor:
    """Mean x, in crop sides."""
    return seen.out.xy[..., 0].mean() / seen.batch.image.shape[-1]


LEFT = Term("left", "left", towards_the_left)


def test_a_term_is_one_row(tmp_path, monkeypatch):
    monkeypatch.setitem(TERMS, "left", LEFT)
    write_blobs(tmp_path)
    config = write_config(tmp_path, steps=8)
    common = ["fit", config, "--data", tmp_path, "--set", "evaluate_every=4"]
    off, on = tmp_path / "off", tmp_path / "on"
    assert command(monkeypatch, *common, "--out", off) == 0
    assert command(monkeypatch, *common, "--out", on, "--set", "loss.more.left=300") == 0
    assert "train_left" not in (off / "metrics.csv").read_text().splitlines()[0]
    head, first, last = (r.split(",") for r in (on / "metrics.csv").read_text().splitlines())
    left, loss = head.index("train_left"), head.index("train_loss")
    parts = [float(v) for n, v in zip(head, last, strict=True)
             if n.startswith("train_") and n != "train_loss"]  # fmt: skip
    assert float(last[loss]) == pytest.approx(sum(parts), abs=1e-4)
    assert float(last[left]) < float(first[left])  # it is followed


def test_a_terms_weight_rises_and_what_it_needs_is_made(tmp_path, monkeypatch):
    seen: list[Seen] = []

    def look(one: Seen) -> torch.Tensor:
        seen.append(one)
        return one.out.xy.mean() * 0 + 2.0

    rising = Term("look", "look", look, ("warped", "taught", "shapes"), lambda _, a, b: a / b)
    monkeypatch.setitem(TERMS, "look", rising)
    write_blobs(tmp_path, 12)
    change = {"loss.more.look": "3", "loss.alpha": "0", "loss.elt_on": '"all"'}
    told = []
    spec = read_config(write_config(tmp_path, steps=4), change)
    fit(spec, tmp_path, tmp_path / "run", report=told.append)
    assert [p.terms["look"] for p in told] == [0.0, 1.5, 3.0, 4.5]  # 3 * 2 * step / 4
    assert seen[0].warped.xy.shape == (4, 4, 2)
    assert seen[0].hints.taught.shape == (4, 4, 2)
    assert seen[0].shapes.mean.shape == (4, 2)
    assert "elt" not in told[0].terms
    del TERMS["look"]
    plain = read_config(tmp_path / "blobs.toml", {"loss.alpha": "0"})
    fit(plain, tmp_path, tmp_path / "plain", report=told.append)
    assert "look" not in told[-1].terms


def test_a_term_may_give_a_value_for_each_head_or_nothing(monkeypatch):
    for name in list(TERMS):
        monkeypatch.delitem(TERMS, name)
    pair = {"a": torch.tensor(1.0), "b": torch.tensor(2.0)}
    monkeypatch.setitem(TERMS, "pair", Term("pair", "pair", lambda _: pair))
    monkeypatch.setitem(TERMS, "none", Term("none", "heat", lambda _: None))
    monkeypatch.setitem(TERMS, "off", Term("off", "presence", lambda _: torch.tensor(9.0)))
    monkeypatch.setitem(
        TERMS, "zero", Term("zero", "gamma", lambda _: torch.tensor(9.0), always=True)
    )
    found = composite(Seen(None, None, None, LossSpec(heat=1.0, more={"pair": 3.0})))
    assert {k: v.item() for k, v in found.items()} == {"a": 3.0, "b": 6.0, "zero": 0.0}


@pytest.mark.parametrize(
    "key,message",
    [("left", "loss.more.left is the weight of no term; there are openings, turn"),
     ("heat", "loss.more.heat is the weight of no term")],
)  # fmt: skip
def test_a_weight_that_no_term_has_is_a_sentence(tmp_path, monkeypatch, capsys, key, message):
    write_blobs(tmp_path)
    config, out = write_config(tmp_path, steps=4), tmp_path / "run"
    more = ["--set", f"loss.more.{key}=1"]
    assert command(monkeypatch, "fit", config, "--data", tmp_path, "--out", out, *more) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()
