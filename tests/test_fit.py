"""Training for real on four tiny pictures: it learns, and a killed run resumes exactly."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.blobs import write_blobs, write_config
from train.checkpoint import load_checkpoint, load_model
from train.config import read_config
from train.data import read_coco
from train.evaluate import predict, summarise, torch_runner
from train.fit import fit, learning_rate, load_data, update_ema, warm_start


def test_overfits_four_images_in_thirty_steps(tmp_path):
    write_blobs(tmp_path, 4, hold=0)
    spec = read_config(write_config(tmp_path, steps=30))
    losses = []
    final = fit(spec, tmp_path, tmp_path / "run", report=lambda p: losses.append(p.terms))
    assert losses[-1]["landmark"] < 0.35 * losses[0]["landmark"]
    assert losses[-1]["heat"] < 0.8 * losses[0]["heat"]
    model, _ = load_model(final)
    data = load_data(spec, tmp_path)
    fitted = summarise(predict(torch_runner(model), data, [0, 1, 2, 3], spec), data, spec)
    assert fitted["nme"] < 12.0  # % of the points' box; untrained it is about 40


def test_metrics_and_split_are_written(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=20))
    fit(spec, tmp_path, tmp_path / "run")
    text = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert "hold_nme" in text[0]
    assert "hold_order_accuracy" in text[0]
    assert "g7" in (tmp_path / "run" / "split.json").read_text()


def test_a_run_killed_hard_resumes_to_the_same_weights(tmp_path):
    write_blobs(tmp_path)
    config = write_config(tmp_path, steps=40, more="")
    spec = read_config(config)
    whole = fit(spec, tmp_path, tmp_path / "whole")
    command = [sys.executable, "-m", "train.cli", "fit", str(config), "--data", str(tmp_path)]
    command += ["--out", str(tmp_path / "cut")]
    here = Path(__file__).parents[1]
    run = subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    last = tmp_path / "cut" / "last.safetensors"
    deadline = time.monotonic() + 60
    while not last.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(10)
    assert load_checkpoint(last).step < 40, "the run ended before it could be killed"
    resumed = fit(spec, tmp_path, tmp_path / "cut", resume=True)
    one, two = load_file(whole), load_file(resumed)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[k], two[k]) for k in one)
    rows = (tmp_path / "cut" / "metrics.csv").read_text()
    assert rows == (tmp_path / "whole" / "metrics.csv").read_text()


def test_an_old_run_is_never_overwritten(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=10))
    fit(spec, tmp_path, tmp_path / "run")
    with pytest.raises(ValueError, match="add --resume"):
        fit(spec, tmp_path, tmp_path / "run")
    with pytest.raises(ValueError, match="another config"):
        fit(replace(spec, lr=1.0), tmp_path, tmp_path / "run", resume=True)


def test_warm_start_keeps_what_fits(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=10))
    final = fit(spec, tmp_path, tmp_path / "run")
    from train.checkpoint import build_model
    from train.data import Markup

    other = build_model(replace(spec, heads=()), Markup(("a", "b")))
    fresh = warm_start(other, final)
    assert set(fresh) == {"net.head.weight", "net.head.bias"}
    source = load_checkpoint(final).part("ema")
    assert torch.equal(other.net.stem[0][0].weight, source["net.stem.0.0.weight"])


def test_learning_rate_warms_up_and_ends_at_one_percent():
    from train.config import FitSpec

    spec = FitSpec(steps=1000, warmup=100, lr=1.0)
    assert learning_rate(spec, 49) == pytest.approx(0.5)
    assert learning_rate(spec, 550) == pytest.approx(0.01 + 0.99 * 0.5)
    assert learning_rate(spec, 1000) == pytest.approx(0.01)


def test_ema_by_hand():
    a, b = torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        a.weight.fill_(0.0)
        b.weight.fill_(1.0)
    update_ema(a, b, 0.9, 10**9)
    assert a.weight.item() == pytest.approx(0.1)
    update_ema(a, b, 0.9, 0)  # step 0 keeps 1/10
    assert a.weight.item() == pytest.approx(0.1 * 0.1 + 0.9)


def test_rcn_plus_trains_and_exports(tmp_path):
    from train.export import export_model, onnx_outputs

    write_blobs(tmp_path, 4, hold=0)
    change = {"net.name": '"rcn_plus"', "net.size": "80", "net.colour": '"gray"', "batch": "2"}
    spec = read_config(write_config(tmp_path, steps=2), change)
    final = fit(spec, tmp_path, tmp_path / "run")
    info = export_model(final, tmp_path / "plus.onnx")
    assert (info.network, info.size, info.colour) == ("rcn_plus", 80, "gray")
    out = onnx_outputs(tmp_path / "plus.onnx", np.zeros((1, 1, 80, 80), np.float32))
    assert out["xy"].shape == (1, 4, 2)


def test_data_in_memory_gives_the_same_run_as_its_files(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=4), {"data.label_share": "0.5"})
    one = fit(spec, tmp_path, tmp_path / "files")
    data = read_coco(tmp_path / "labels.json", spec.data.hold_out, spec.seed)
    two = fit(spec, tmp_path / "nowhere", tmp_path / "memory", data=data)
    first, second = load_file(one), load_file(two)
    assert all(torch.equal(first[k], second[k]) for k in first)


def test_progress_json_tells_the_end(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=20))
    fit(spec, tmp_path, tmp_path / "run")
    found = json.loads((tmp_path / "run" / "progress.json").read_text())
    assert (found["run"], found["step"], found["state"]) == ("run", 20, "done")
    assert found["hold_nme"] > 0
    with pytest.raises(FloatingPointError):
        fit(replace(spec, lr=float("inf")), tmp_path, tmp_path / "broken")
    found = json.loads((tmp_path / "broken" / "progress.json").read_text())
    assert found["state"] == "failed"
    assert "lower lr" in found["message"]
