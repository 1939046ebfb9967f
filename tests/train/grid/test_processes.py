"""Cells in processes of their own, several at once."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest
import torch

from tests.helpers.reproducing import tiny_task
from tracker.stop import Stopped
from train.grid.processes import run_in_processes, spread_devices


def note(task):
    """In a process: a result, at once; seed 2 fails."""
    if task.cell.seed == 2:
        sys.exit(1)
    task.folder.mkdir(parents=True)
    (task.folder / "result.json").write_text("{}")


def linger(task):
    """In a process: until somebody ends it."""
    task.folder.mkdir(parents=True)
    (task.folder / "here").write_text("")
    time.sleep(60)


def tasks(out, count):
    one = tiny_task(out)
    return [replace(one, cell=replace(one.cell, seed=seed)) for seed in range(count)]


def test_all_run_and_failures_are_told_at_the_end(tmp_path):
    told, done = [], []
    with pytest.raises(ValueError, match="1 of 3 trainings did not finish"):
        run_in_processes(tasks(tmp_path, 3), note, 2, told.append, lambda: done.append(1))
    assert len(done) == 2 and len(told) == 2
    found = sorted(p.parent.name for p in tmp_path.rglob("result.json"))
    assert found == ["0", "1"]


def test_cells_take_turns_on_several_gpus(tmp_path, monkeypatch):
    on_cpu = tasks(tmp_path, 3)
    three = [replace(t, spec=replace(t.spec, device="auto")) for t in on_cpu]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [t.spec.device for t in spread_devices(three)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert spread_devices(on_cpu) == on_cpu
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert spread_devices(three) == three


def test_a_wish_to_stop_ends_the_processes(tmp_path):
    def stop():
        for _ in range(300):
            if list(tmp_path.rglob("here")):
                break
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop)
    thread.start()
    begun = time.monotonic()
    with pytest.raises(Stopped, match="the same command goes on"):
        run_in_processes(tasks(tmp_path, 2), linger, 1, print, lambda: None)
    thread.join()
    assert time.monotonic() - begun < 50
    assert len(list(tmp_path.rglob("here"))) == 1  # the second was not begun
