"""Averages by hand, and refusals."""

import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from tracker.errors import UserError
from train.config import read_config
from train.finetune.average import average
from train.loop.checkpoint import load_checkpoint, load_model
from train.loop.fit import fit


def runs(tmp_path, **change):
    write_blobs(tmp_path)
    config = write_config(tmp_path, steps=4)
    one = fit(read_config(config), tmp_path, tmp_path / "one", extra={"licence": "CC0"})
    two = fit(read_config(config, change), tmp_path, tmp_path / "two", extra={"licence": "CC0"})
    return one, two


def test_a_quarter_of_the_way(tmp_path):
    one, two = runs(tmp_path, seed="3")
    average(one, two, 0.25, tmp_path / "mix.safetensors")
    a, b, mix = (load_checkpoint(p).part("ema") for p in (one, two, tmp_path / "mix.safetensors"))
    name = "net.head.weight"
    assert not torch.equal(a[name], b[name])
    torch.testing.assert_close(mix[name], 0.75 * a[name] + 0.25 * b[name])
    assert load_checkpoint(tmp_path / "mix.safetensors").extra == {"licence": "CC0"}
    load_model(tmp_path / "mix.safetensors")


def test_refuses_other_networks_and_weights(tmp_path):
    one, two = runs(tmp_path, **{"net.stem": "4"})
    with pytest.raises(ValueError, match="not the same network"):
        average(one, two, 0.5, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="between 0"):
        average(one, one, 1.5, tmp_path / "x.safetensors")


def test_makes_the_folder_but_never_writes_over_a_parent(tmp_path):
    one, two = runs(tmp_path, seed="3")
    before = one.read_bytes(), two.read_bytes()
    for parent in (one, two):
        with pytest.raises(UserError, match="is the input itself and would be lost"):
            average(one, two, 0.5, parent)
    assert (one.read_bytes(), two.read_bytes()) == before
    out = tmp_path / "runs" / "new" / "model.safetensors"
    for weight in (0.25, 0.75):  # an earlier output may go
        average(one, two, weight, out)
        assert list(out.parent.iterdir()) == [out]
    load_model(out)
