"""Averages by hand, and refusals."""

import pytest
import torch

from tests.blobs import write_blobs, write_config
from train.average import average
from train.checkpoint import load_checkpoint, load_model
from train.config import read_config
from train.fit import fit


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
