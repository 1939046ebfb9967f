"""Cells that start with the weights of finished ones: which, with what, and what is refused."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from tests.helpers.reproducing import COUNT, tiny_blocks, tiny_task
from tracker.whole_files import file_sha256
from train.finetune.choices import parse_budget
from train.reproduce.cells import run_task
from train.reproduce.experiments import Cell
from train.reproduce.starts import rows_within, start_of
from train.reproduce.tasks import ReproduceWish, plan_tasks, task_of
from train.sets.blocks import blocks
from ui.commands.train import app

L, LA = "Seq-MT (L)", "Seq-MT (L+A)"


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    with tiny_blocks(monkeypatch):
        yield


def wish_of(tmp_path, **more):
    known = {"start": tmp_path / "first", "out": tmp_path / "second"} | more
    return ReproduceWish("blocks", device="cpu", budget=parse_budget("6it"), **known)


def further(tmp_path, row=L):
    """The task of a cell that starts from one under first/."""
    task = task_of(wish_of(tmp_path), Cell("blocks", row, 0.1, 0))
    return replace(task, spec=replace(task.spec, batch=4, checkpoint_every=2))


@pytest.fixture
def first(tmp_path):
    """A finished L of 4 steps under first/."""
    task = tiny_task(tmp_path / "first")
    run_task(task)
    return task


def weights(task):
    return load_file(task.folder / "model.safetensors")


def test_the_first_weights_are_those_that_the_other_ended_with(tmp_path, first):
    task = further(tmp_path)
    result = run_task(replace(task, spec=replace(task.spec, lr=0.0)))
    a, b = weights(first), weights(task)
    learnt = [k for k in a if "running" not in k and "batches" not in k and "calibration" not in k]
    assert len(learnt) > 8 and all(np.array_equal(a[k], b[k]) for k in learnt)
    assert (result["steps"], result["steps_before"], result["start"]) == (6, 4, L)
    assert result["start_sha256"] == file_sha256(first.folder / "model.safetensors")


def test_each_training_has_its_own_crops_and_half_the_rate(tmp_path, first):
    second = further(tmp_path)
    assert (first.spec.seed, second.spec.seed) == (0, 1000)
    run_task(second)
    third = start_of(tmp_path / "second", second.cell, tmp_path / "third")
    assert (third.steps, third.trainings) == (10, 2)
    spec = third.further(first.spec)
    assert (spec.seed, spec.lr) == (2000, first.spec.lr / 4)


def test_rows_that_learn_from_less_most_first():
    assert rows_within("Seq-MT (L+ELT+A)") == [
        "Seq-MT (L+ELT+A)", "Seq-MT (ELT+A)", "Seq-MT (L+A)", "Seq-MT (L+ELT)",
        "Seq-MT (A)", "Seq-MT (ELT)", "Seq-MT (L)",
    ]  # fmt: skip


def test_a_term_is_added_to_a_row_that_learnt_from_less(tmp_path, first):
    assert further(tmp_path, LA).start.row == L
    own = tiny_task(tmp_path / "first", LA)
    run_task(own)
    assert further(tmp_path, LA).start.row == LA
    with pytest.raises(ValueError, match=r"no finished training that blocks Seq-MT \(L\), 10 %"):
        shutil.rmtree(first.folder)
        further(tmp_path)


def test_a_cut_one_goes_on_although_a_better_start_is_there_now(tmp_path, first):
    task = further(tmp_path, LA)

    def interrupt(p):
        if p.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_task(task, interrupt)
    run_task(tiny_task(tmp_path / "first", LA))
    again = further(tmp_path, LA)
    result = run_task(again)
    assert (result["start"], result["from_step"]) == (L, 4)
    uncut = replace(task, out=tmp_path / "uncut")
    run_task(uncut)
    a, b = weights(uncut), weights(again)
    assert all(np.array_equal(a[k], b[k]) for k in a)


def test_a_finished_one_needs_its_start_no_more(tmp_path, first):
    done = run_task(further(tmp_path))
    shutil.rmtree(tmp_path / "first")
    assert run_task(further(tmp_path)) == json.loads(json.dumps(done))


def test_a_start_with_other_data_is_refused_and_leaves_nothing(tmp_path, first):
    task = further(tmp_path)
    with pytest.raises(ValueError, match="was trained on other data; leave out --from"):
        run_task(task, given=blocks(1, COUNT))
    assert not (task.folder / "begun.json").exists()
    fresh = replace(task, start=None, spec=replace(task.spec, seed=0))
    assert "start" not in run_task(fresh, given=blocks(1, COUNT))


def test_a_start_of_another_network_is_refused(tmp_path, first):
    path = first.folder / "begun.json"
    begun = json.loads(path.read_text())
    begun["spec"]["net"]["maps"] += 1
    path.write_text(json.dumps(begun))
    with pytest.raises(ValueError, match="was trained with another network"):
        run_task(further(tmp_path))


def test_a_start_that_was_trained_anew_meanwhile_is_refused(tmp_path, first):
    task = further(tmp_path)
    shutil.rmtree(first.folder)
    run_task(tiny_task(tmp_path / "first", steps=5))
    with pytest.raises(ValueError, match=r"is not the file that .* put it back, or choose another"):
        run_task(task)
    (first.folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="is not the file"):
        run_task(task)


def test_a_folder_that_was_begun_otherwise_is_refused(tmp_path, first):
    task = further(tmp_path)
    run_task(task)
    with pytest.raises(ValueError, match=r"started from weights of Seq-MT \(L\); give the same"):
        plan_tasks(wish_of(tmp_path, start=None), [task.cell])
    fresh = tiny_task(tmp_path / "fresh")
    run_task(fresh)
    with pytest.raises(ValueError, match=r"was not started from .*; leave out --from"):
        run_task(replace(fresh, start=task.start))


def test_ray_gets_a_path_that_holds_anywhere(tmp_path, first, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = further(tmp_path)
    relative = replace(task.start, model=task.start.model.relative_to(tmp_path))
    assert replace(task, start=relative).placed().start == task.start
    assert first.placed().start is None


def test_the_command_says_what_it_starts_from(tmp_path, first):
    def run(out):
        told = CliRunner().invoke(
            app,
            ["reproduce", "blocks", "--rows", L, "--fractions", "0.1", "--seeds", "1",
             "--budget", "10it", "--from", str(tmp_path / "first"), "--out", str(out)],
        )  # fmt: skip
        return told.exit_code, " ".join((told.output + str(told.exception or "")).split())

    code, told = run(tmp_path / "second")
    assert code == 0 and f"{L}, 10 %, seed 0: starts from {L} after 4 steps" in told
    code, told = run(tmp_path / "first")
    assert code != 0 and "choose another --out" in told
