"""The point between start and end that the hold-out likes best."""

from dataclasses import replace

import pytest
import torch

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.data.pictures import read_coco
from train.finetune.blend import blend, blended
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint


def test_the_localiser_is_on_the_line_and_heads_are_the_ends():
    start = {"net.a": torch.zeros(2), "net.n": torch.tensor(1), "heads.g": torch.zeros(1)}
    end = {"net.a": torch.ones(2) * 4, "net.n": torch.tensor(9), "heads.g": torch.ones(1)}
    found = blended(start, end, 0.25)
    assert found["net.a"].tolist() == [1.0, 1.0]
    assert found["net.n"].item() == 9
    assert found["heads.g"].item() == 1.0


def test_the_best_point_takes_the_place(tmp_path, monkeypatch):
    write_blobs(tmp_path)
    spec = replace(read_config(write_config(tmp_path, steps=1)), threads=1)
    data = read_coco(tmp_path / "labels.json")
    for name, seed in (("start", 1), ("final", 2)):
        torch.manual_seed(seed)
        model = build_model(spec, data.markup)
        path = tmp_path / f"{name}.safetensors"
        save_checkpoint(path, spec, data.markup, 5, None, model, None, {"licence": "x"})
    start, final = tmp_path / "start.safetensors", tmp_path / "final.safetensors"
    a, b = load_checkpoint(start).part("ema"), load_checkpoint(final).part("ema")
    values = iter([7.0, 4.0, 3.0, 5.0, 6.0])  # at 0, 0.25, 0.5, 0.75 and 1
    monkeypatch.setattr("train.finetune.blend.badness", lambda _: next(values))
    assert blend(start, final, data, spec) == 0.5
    found = load_checkpoint(final)
    key = next(k for k in a if k.startswith("net.head"))
    assert torch.allclose(found.part("ema")[key], (a[key] + b[key]) / 2)
    assert found.extra["blend"] == 0.5
    assert found.extra["licence"] == "x"
    values = iter([7.0, 4.0, 3.0, 5.0, 2.0])
    before = final.read_bytes()
    assert blend(start, final, data, spec) == 1.0
    assert final.read_bytes() == before
    assert blend(start, final, data, spec, 0.5) == 0.5  # asked for: nothing is chosen
    key_now = load_checkpoint(final).part("ema")[key]
    assert torch.allclose(key_now, (a[key] + found.part("ema")[key]) / 2)
    assert blend(start, final, data, spec, 1.0) == 1.0
    values = iter([1.0, 4.0, 3.0, 5.0, 2.0])
    heads = {k: v for k, v in load_checkpoint(final).part("ema").items() if k.startswith("heads.")}
    assert blend(start, final, data, spec) == 0.0  # all that was learnt made the landmarks worse
    now = load_checkpoint(final).part("ema")
    assert torch.equal(now[key], a[key])
    assert heads
    assert all(torch.equal(now[k], v) for k, v in heads.items())


def test_the_last_weights_may_be_the_better_end(tmp_path, monkeypatch):
    write_blobs(tmp_path)
    spec = replace(read_config(write_config(tmp_path, steps=1)), threads=1)
    data = read_coco(tmp_path / "labels.json")
    found = {}
    for name, seed in (("start", 1), ("final", 2), ("last", 3)):
        torch.manual_seed(seed)
        model = build_model(spec, data.markup)
        path = tmp_path / f"{name}.safetensors"
        save_checkpoint(path, spec, data.markup, 10 * seed, None, model, None, {})
        found[name] = load_checkpoint(path).part("ema")
    start, final = tmp_path / "start.safetensors", tmp_path / "final.safetensors"
    # of the best step at 0, 0.25, 0.5, 0.75 and 1, then of the last
    values = iter([7.0, 6.0, 5.0, 4.0, 3.0, 7.0, 2.5, 2.0, 5.0, 9.0])
    monkeypatch.setattr("train.finetune.blend.badness", lambda _: next(values))
    assert blend(start, final, data, spec) == 0.5
    kept = load_checkpoint(final)
    key = next(k for k in found["start"] if k.startswith("net.head"))
    assert torch.allclose(kept.part("ema")[key], (found["start"][key] + found["last"][key]) / 2)
    assert kept.step == 30
    (tmp_path / "last.safetensors").write_bytes(final.read_bytes())  # the same as the best
    values = iter([7.0, 6.0, 5.0, 4.0, 3.0])
    assert blend(start, final, data, spec) == 1.0


def test_nothing_held_out_changes_nothing(tmp_path):
    write_blobs(tmp_path, hold=0)
    spec = read_config(write_config(tmp_path, steps=1))
    data = read_coco(tmp_path / "labels.json")
    missing = tmp_path / "no.safetensors"
    assert blend(missing, missing, data, spec) == pytest.approx(1.0)
