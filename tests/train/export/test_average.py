"""Averages by hand, and refusals."""

from dataclasses import replace

import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from tracker.errors import UserError
from train.config import read_config
from train.export.average import average
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


def test_one_head_alone(tmp_path):
    one, two = runs(tmp_path, seed="3")
    out = tmp_path / "mix.safetensors"
    average(one, two, 0.25, out, "order")
    a, b, mix = (load_checkpoint(p).part("ema") for p in (one, two, out))
    for name, found in mix.items():
        own = name.startswith("heads.order.") and found.is_floating_point()
        torch.testing.assert_close(found, 0.75 * a[name] + 0.25 * b[name] if own else b[name])
    assert not torch.equal(a["net.head.weight"], b["net.head.weight"])
    with pytest.raises(ValueError, match="no head 'side'; its heads are order"):
        average(one, two, 0.25, out, "side")


def test_refuses_other_networks_and_weights(tmp_path):
    one, two = runs(tmp_path, **{"net.stem": "4"})
    with pytest.raises(ValueError, match="not the same network"):
        average(one, two, 0.5, tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="between 0"):
        average(one, one, 1.5, tmp_path / "x.safetensors")


def test_settings_that_only_training_has_may_differ(tmp_path):
    """As of the shipped hand model's two configs, whose side head weighs 1 and 2."""
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=1))
    (head,) = spec.heads
    trained = replace(head, weight=2.0, dropout=0.3, flow=False)
    one = fit(spec, tmp_path, tmp_path / "one")
    two = fit(replace(spec, heads=(trained,), seed=3), tmp_path, tmp_path / "two")
    out = tmp_path / "mix.safetensors"
    average(one, two, 0.5, out)
    a, b, mix = (load_checkpoint(p).part("ema") for p in (one, two, out))
    heads = [name for name in mix if name.startswith("heads.order.") and name.endswith("weight")]
    assert heads
    for name in ("net.head.weight", *heads):
        torch.testing.assert_close(mix[name], (a[name] + b[name]) / 2)
    assert load_model(out)[1].spec.heads == (trained,)
    other = fit(replace(spec, heads=(replace(head, source="both"),)), tmp_path, tmp_path / "other")
    with pytest.raises(ValueError, match="not the same network"):
        average(one, other, 0.5, out)


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
