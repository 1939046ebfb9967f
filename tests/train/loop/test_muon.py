"""Muon: orthogonal steps, weights that keep their norm, Adam for the rest."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import read_coco
from train.loop.fit import fit, load_data
from train.loop.muon import Muon, normed_convolutions, orthogonal
from train.loop.state import start_run
from train.networks import NetSpec, build_net


@pytest.mark.parametrize("shape", [(8, 20), (20, 8)])
def test_orthogonal_brings_all_singular_values_near_one(shape):
    """The published coefficients leave them between 0.7 and 1.2; u and v stay as they are."""
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.normal(size=(shape[0], min(shape))))
    v, _ = np.linalg.qr(rng.normal(size=(shape[1], min(shape))))
    matrix = u * np.geomspace(1, 0.1, min(shape)) @ v.T
    found = orthogonal(torch.from_numpy(matrix).float()).double().numpy()
    inside = u.T @ found @ v
    assert np.abs(inside - np.diag(np.diag(inside))).max() < 1e-4
    assert np.diag(inside).min() > 0.6 and np.diag(inside).max() < 1.3


def test_a_turn_keeps_the_norm_and_is_as_long_as_the_rate():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(6, 4, 3, 3))
    before = weight.detach().clone()
    (weight * torch.randn_like(weight)).sum().backward()
    optimiser = Muon([weight], [], 0.05, 1.0)
    optimiser.step()
    assert weight.norm().item() == pytest.approx(before.norm().item(), rel=1e-5)
    angle = torch.acos((weight * before).sum() / before.norm() ** 2)
    assert angle.item() == pytest.approx(0.05, rel=0.1)


def test_others_move_as_adam_moves_them():
    ours, theirs = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    a = Muon([], [ours], 0.1, 1.0)
    b = torch.optim.Adam([theirs], 0.1, betas=(0.9, 0.99))
    for push in ([1.0, 2.0], [-0.5, 2.0], [0.1, 0.0]):
        for value in (ours, theirs):
            value.grad = torch.tensor(push)
        a.step()
        b.step()
    torch.testing.assert_close(ours, theirs)


def test_convolutions_without_a_norm_are_not_turned():
    net = build_net(4, NetSpec(size=64, stem=8, widths=(8, 8, 8, 8), block="light"))
    turned = {id(w) for w in normed_convolutions(net)}
    assert id(net.head.weight) not in turned
    assert id(net.stem[0][0].weight) in turned
    assert id(net.coarsest.depthwise[0].weight) not in turned  # one map each: no matrix
    assert id(net.coarsest.expand[0].weight) in turned


def test_a_run_with_muon_learns_and_resumes_exactly(tmp_path: Path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=20), {"optimiser": "muon", "decay": "5"})
    whole = fit(spec, tmp_path, tmp_path / "whole")
    run = start_run(spec, load_data(spec, tmp_path), tmp_path, torch.device("cpu"), None)
    assert [g["scale"] for g in run.optimiser.param_groups] == [15.0, 1.0]
    assert whole.is_file()
    assert len(read_coco(tmp_path / "labels.json").examples) == 8
