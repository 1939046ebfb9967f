"""Training for real on four tiny pictures: it learns, and a killed run resumes exactly."""

import json
import multiprocessing
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

import train.loop.fit
from tests.helpers.blobs import write_blobs, write_config
from tracker.stop import Stopped
from train.config import FitSpec, read_config
from train.data.pictures import read_coco
from train.evaluate.outputs import predict, summarise, torch_runner
from train.loop.checkpoint import load_checkpoint, load_model
from train.loop.fit import fit, learning_rate, load_data, update_ema
from train.loop.step import step_batch
from train.loop.warm_start import carry_over


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
    command = [
        sys.executable,
        "-m",
        "ui.commands.train",
        "fit",
        str(config),
        "--data",
        str(tmp_path),
    ]
    command += ["--out", str(tmp_path / "cut")]
    here = Path(__file__).parents[3]
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


def test_what_a_killed_run_left_half_written_goes_with_the_next(tmp_path):
    write_blobs(tmp_path)
    out = tmp_path / "run"
    out.mkdir()
    dead = out / ".last.safetensors.999999999.part"
    alive = out / f".last.safetensors.{os.getppid()}.part"
    for path in (dead, alive, out / ".mine.part", out / "film.mp4.part"):
        path.touch()
    fit(read_config(write_config(tmp_path, steps=1)), tmp_path, out)
    assert not dead.exists() and alive.exists()
    assert (out / ".mine.part").exists() and (out / "film.mp4.part").exists()


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
    from train.data.pictures import Markup
    from train.loop.checkpoint import build_model

    markup = Markup(("a", "b"))
    other = build_model(replace(spec, heads=()), markup)
    fresh = carry_over(other, markup, load_checkpoint(final)).fresh
    assert set(fresh) == {"net.head.weight", "net.head.bias"}
    source = load_checkpoint(final).part("ema")
    assert torch.equal(other.net.stem[0][0].weight, source["net.stem.0.0.weight"])


def test_learning_rate_warms_up_and_ends_at_one_percent():
    from train.config import FitSpec

    spec = FitSpec(steps=1000, warmup=100, lr=1.0)
    assert learning_rate(spec, 49) == pytest.approx(0.5)
    assert learning_rate(spec, 550) == pytest.approx(0.01 + 0.99 * 0.5)
    assert learning_rate(spec, 1000) == pytest.approx(0.01)


def test_each_cycle_of_the_rate_is_a_short_schedule_of_its_own():
    from train.config import FitSpec

    whole, part = FitSpec(steps=1000, cycles=4, lr=1.0), FitSpec(steps=250, lr=1.0)
    for at in (0, 99, 100, 180, 249):
        for cycle in range(4):
            assert learning_rate(whole, 250 * cycle + at) == learning_rate(part, at)
    assert learning_rate(whole, 1000) == learning_rate(part, 250) == pytest.approx(0.01)
    uneven = FitSpec(steps=1000, cycles=3, lr=1.0)  # 334 steps each, the last one 332
    assert learning_rate(uneven, 334) == pytest.approx(0.01)  # the warm-up's first step
    assert learning_rate(uneven, 999) < 0.02


def test_no_cycle_at_all_is_refused(tmp_path):
    write_blobs(tmp_path, 4, hold=0)
    spec = replace(read_config(write_config(tmp_path, steps=3)), cycles=0)
    with pytest.raises(ValueError, match="cycles takes 1 or more, found 0"):
        fit(spec, tmp_path, tmp_path / "run")


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
    from train.export.export import export_model, onnx_outputs

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


def test_averaged_weights_alone_serve_all_but_a_resume(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=10))
    final = fit(spec, tmp_path, tmp_path / "run")
    found = load_checkpoint(final)
    assert {k.split(".")[0] for k in found.tensors} == {"ema"}
    last = load_checkpoint(tmp_path / "run" / "last.safetensors")
    assert {k.split(".")[0] for k in last.tensors} == {"ema", "model", "optimiser"}
    again = fit(replace(spec, steps=1), tmp_path, tmp_path / "warm", init=final)
    assert load_checkpoint(again).step == 1
    final.replace(tmp_path / "run" / "last.safetensors")
    with pytest.raises(ValueError, match="averaged weights alone"):
        fit(spec, tmp_path, tmp_path / "run", resume=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_that_goes_on_exactly(tmp_path, number):
    write_blobs(tmp_path)
    change = {"checkpoint_every": "1000", "evaluate_every": "7"}
    spec = read_config(write_config(tmp_path, steps=24), change)
    whole = load_file(fit(spec, tmp_path, tmp_path / "whole"))

    def interrupt(p):
        if p.step == 11:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(Stopped, match="stopped at step 11 of 24; add --resume"):
        fit(spec, tmp_path, tmp_path / "cut", report=interrupt)
    assert signal.getsignal(number) is before
    told = json.loads((tmp_path / "cut" / "progress.json").read_text())
    assert (told["state"], told["step"]) == ("stopped", 11)
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    resumed = load_file(fit(spec, tmp_path, tmp_path / "cut", resume=True))
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    rows = [(tmp_path / n / "metrics.csv").read_text() for n in ("whole", "cut")]
    assert rows[0] == rows[1]


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="Windows sends no SIGTERM to a job")
def test_processes_that_make_batches_may_be_stopped_with_it(tmp_path):
    """As by systemd and Slurm, which send SIGTERM to all processes of a job."""
    write_blobs(tmp_path)
    change = {"checkpoint_every": "4", "evaluate_every": "1000", "workers": "1"}
    spec = read_config(write_config(tmp_path, steps=24), change)

    def all_stop(p):
        if p.step == at:
            (child,) = multiprocessing.active_children()
            told = [child.pid, os.getpid()] if is_told else [child.pid]
            subprocess.run(["kill", *map(str, told)], check=True)  # not from here: a parent may
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # its end is told here

    last = tmp_path / "run" / "last.safetensors"
    for at, is_told, kind, message in (
        (2, True, Stopped, "stopped before the first checkpoint; add --resume to begin again"),
        (6, True, Stopped, "checkpoint is of step 4 of 24; add --resume to go on"),
        (6, False, RuntimeError, "DataLoader worker"),  # as where memory ran out
    ):
        with pytest.raises(kind, match=message):
            fit(spec, tmp_path, tmp_path / "run", resume=True, report=all_stop)
        state = json.loads((tmp_path / "run" / "progress.json").read_text())["state"]
        assert state == ("stopped" if is_told else "failed")
        assert not last.exists() if at == 2 else load_checkpoint(last).step == 4


def scripted(monkeypatch, values):
    """Hold-out evaluations that give these NMEs, one after the other."""
    left = iter(values)

    def evaluate(run):
        return {"nme": next(left), "attributes": {}}

    monkeypatch.setattr("train.loop.fit.evaluate_hold_out", evaluate)


def test_patience_ends_a_run_and_the_best_weights_are_kept(tmp_path, monkeypatch):
    write_blobs(tmp_path)
    change = {"evaluate_every": "2", "patience": "3", "keep": '"best"'}
    spec = read_config(write_config(tmp_path, steps=40), change)
    scripted(monkeypatch, [9.0, 7.0, 8.0, float("nan"), 7.0, 7.5])
    seen = []
    final = fit(spec, tmp_path, tmp_path / "run", report=seen.append)
    assert [p.step for p in seen][-1] == 12  # NaN is no evaluation: steps 6, 10, 12 were no better
    assert "nothing was better on the hold-out than step 4 in 3 evaluations" in seen[-1].message
    told = json.loads((tmp_path / "run" / "progress.json").read_text())
    assert told["state"] == "done"
    assert "ended early" in told["message"]
    kept, best = load_checkpoint(final), load_checkpoint(tmp_path / "run" / "best.safetensors")
    assert (kept.step, best.step) == (4, 4)
    a, b = kept.part("ema"), best.part("ema")
    assert all(torch.equal(a[k], b[k]) for k in a if k != "calibration")
    scripted(monkeypatch, [])
    again = fit(spec, tmp_path, tmp_path / "run", resume=True)  # stays ended
    assert load_checkpoint(again).step == 4


def test_patience_is_remembered_by_a_resume(tmp_path, monkeypatch):
    write_blobs(tmp_path)
    change = {"evaluate_every": "2", "patience": "3", "checkpoint_every": "2"}
    spec = read_config(write_config(tmp_path, steps=40), change)
    scripted(monkeypatch, [5.0, 6.0, 6.0])

    def kill(p):
        if p.step == 6:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fit(spec, tmp_path, tmp_path / "run", report=kill)
    scripted(monkeypatch, [6.0])
    final = fit(spec, tmp_path, tmp_path / "run", resume=True)
    assert load_checkpoint(final).step == 8  # keep = last


def test_running_out_of_memory_halves_the_batch_for_good(tmp_path, monkeypatch):
    write_blobs(tmp_path, 12)
    change = {"batch": "8", "checkpoint_every": "1"}
    spec = read_config(write_config(tmp_path, steps=6), change)
    real, sizes = train.loop.fit.train_step, []

    def step(run, batch):
        if run.step >= 2 and len(batch.image) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        sizes.append(len(batch.image))
        return real(run, batch)

    monkeypatch.setattr("train.loop.fit.train_step", step)
    seen = []

    def cut(p):
        seen.append(p.message)
        if p.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(spec, tmp_path, tmp_path / "run", report=cut)
    assert sizes == [8, 8, 2, 2]
    assert seen[2] == "memory ran out: from step 2 on a batch has 2 pictures"
    fit(spec, tmp_path, tmp_path / "run", resume=True)
    assert sizes == [8, 8, 2, 2, 2, 2]


def test_no_memory_for_one_picture_is_a_sentence(tmp_path, monkeypatch):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=6))

    def step(run, batch):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")

    monkeypatch.setattr("train.loop.fit.train_step", step)
    with pytest.raises(ValueError, match="memory ran out with a single picture"):
        fit(spec, tmp_path, tmp_path / "run")


def test_an_evaluation_that_needs_too_much_memory_goes_on_in_smaller_batches(tmp_path, monkeypatch):
    write_blobs(tmp_path, 8, hold=4)
    spec = read_config(write_config(tmp_path, steps=1))
    real, sizes = train.loop.fit.predict, []

    def predict_few(run, data, rows, spec, batch):
        sizes.append(batch)
        if batch > 16:
            raise MemoryError
        return real(run, data, rows, spec, batch)

    monkeypatch.setattr("train.loop.fit.predict", predict_few)
    fit(spec, tmp_path, tmp_path / "run")
    assert sizes == [64, 32, 16] * 2


def test_a_resume_may_use_another_device_and_thread_count(tmp_path):
    write_blobs(tmp_path)
    spec = read_config(write_config(tmp_path, steps=10))
    fit(spec, tmp_path, tmp_path / "run")
    fit(replace(spec, device="cpu", threads=2), tmp_path, tmp_path / "run", resume=True)


def test_a_level_rate_falls_at_the_end():
    spec = FitSpec(steps=1000, lr=1.0, warmup=100, decay=200)
    assert learning_rate(spec, 49) == pytest.approx(0.5)
    assert learning_rate(spec, 100) == learning_rate(spec, 799) == pytest.approx(1.0)
    assert learning_rate(spec, 900) == pytest.approx(0.01 + 0.99 * 0.5)
    assert learning_rate(spec, 1000) == pytest.approx(0.01)


def test_row_seeds_give_each_picture_its_own_stream(tmp_path):
    data = read_coco(write_blobs(tmp_path, 12))
    change = {"augment.rotate": "20", "augment.occlude": "1", "row_seeds": "true", "batch": "4"}
    spec = read_config(write_config(tmp_path), change)
    one, other = (step_batch(data, spec, 0, [first, 1, 2, 3]) for first in (0, 5))
    assert torch.equal(one.image[1:], other.image[1:])
    assert torch.equal(one.warp[1:], other.warp[1:])


def test_the_best_weights_have_the_heads_of_the_end(tmp_path, monkeypatch):
    write_blobs(tmp_path)
    change = {"evaluate_every": "2", "keep": '"best"', "late_heads": "true"}
    spec = read_config(write_config(tmp_path, steps=8), change)
    scripted(monkeypatch, [1.0, 2.0, 3.0, 4.0])  # the localiser is best at step 2
    kept = load_checkpoint(fit(spec, tmp_path, tmp_path / "run")).part("ema")
    best = load_checkpoint(tmp_path / "run" / "best.safetensors").part("ema")
    end = load_checkpoint(tmp_path / "run" / "last.safetensors").part("ema")
    heads = [k for k in kept if k.startswith("heads.")]
    assert heads
    assert all(torch.equal(kept[k], end[k]) for k in heads)
    assert not all(torch.equal(kept[k], best[k]) for k in heads)
    assert all(torch.equal(kept[k], best[k]) for k in kept if k.startswith("net."))
