"""Cells as Ray tasks. What needs Ray itself is left out where the extra 'ray' is not installed."""

import importlib.util
from dataclasses import replace
from functools import partial

import pytest

from tests.helpers.reproducing import COUNT, tiny_blocks, tiny_task
from tracker.stop import Stopped
from train.grid.by_ray import attempt, connect, keep, run_by_ray, wants
from train.grid.resume import read_result
from train.reproduce.cells import run_task
from train.sets.blocks import blocks

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="the extra 'ray' is not installed"
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    with tiny_blocks(monkeypatch):
        yield


def test_a_whole_gpu_where_there_is_one(tmp_path):
    task = tiny_task(tmp_path)
    task = replace(task, spec=replace(task.spec, device="auto", threads=4))
    sent, room = wants(task, {"CPU": 16.0, "GPU": 2.0})
    assert (sent.spec.device, room) == ("cuda", {"num_gpus": 1.0, "num_cpus": 1.0})
    assert wants(task, {"CPU": 16.0}) == (task, {"num_cpus": 4.0})
    assert wants(task, {"CPU": 2.0})[1] == {"num_cpus": 2.0}  # else it would wait for ever
    on_cpu = replace(task, spec=replace(task.spec, device="cpu"))
    assert wants(on_cpu, {"CPU": 16.0, "GPU": 2.0}) == (on_cpu, {"num_cpus": 4.0})


def test_mistakes_come_back_as_sentences(tmp_path):
    def work(error):
        def raises(task):
            raise error

        return raises

    task = tiny_task(tmp_path)
    assert attempt(work(ValueError("no")), task) == (None, "no")
    assert attempt(work(Stopped("stopped")), task) == (None, "stopped")
    with pytest.raises(KeyError):
        attempt(work(KeyError("x")), task)


def test_paths_hold_elsewhere_and_results_from_elsewhere_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = replace(tiny_task(tmp_path), out=tmp_path / "../here").placed()
    assert task.out == tmp_path.parent / "here" and task.data is None
    here = tiny_task(tmp_path)
    keep(here, {"a": 1})
    keep(here, {"a": 2})
    assert read_result(here.folder) == {"a": 1}


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_a_sentence_says_what_to_install(tmp_path):
    with pytest.raises(ValueError, match=r"install \"ray[<>=\d.,]+\"$"):
        run_by_ray([tiny_task(tmp_path)], run_task, print, lambda: None)


@needs_ray
def test_a_cluster_of_its_own_is_not_on_the_network(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    ray = connect(1)
    try:
        assert [n["NodeManagerAddress"] for n in ray.nodes()] == ["127.0.0.1"]
    finally:
        ray.shutdown()


@needs_ray
def test_two_workers_train_what_one_process_trains(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    one = tiny_task(tmp_path / "ray")
    tasks = [one, replace(one, cell=replace(one.cell, seed=1))]
    tasks.append(tiny_task(tmp_path / "ray", "Seq-MT (L+A)"))
    told, done = [], []
    work = partial(run_task, given=blocks(0, COUNT))
    run_by_ray(tasks, work, told.append, lambda: done.append(1), cpus=2)
    assert told[0] == "Ray has 2 processors and 0 GPUs"
    assert len(done) == 3 and told[-1].endswith("finished, 0 to go")
    alone = run_task(tiny_task(tmp_path / "alone"))
    assert read_result(one.folder)["metrics"] == alone["metrics"]
    refused = replace(one, spec=replace(one.spec, lr=0.5))
    with pytest.raises(ValueError, match="1 of 1 trainings did not finish"):
        run_by_ray([refused], work, told.append, lambda: None, cpus=2)
    assert "another spec" in told[-1]
