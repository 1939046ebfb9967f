"""Cells as processes of this machine, several at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

import torch

from tracker.errors import UserError
from tracker.stop import Stopped, stop_on_signal
from train.reproduce.cell_folder import read_result
from train.reproduce.cells import Task, run_task

LOOK_S = 0.2  # between two looks at the processes


def _work(task: Task) -> None:
    try:
        run_task(task)
    except Stopped:
        sys.exit(130)
    except (UserError, ValueError, OSError, FloatingPointError) as error:
        print(f"train: {task.cell.name}: {error}", file=sys.stderr)
        sys.exit(1)


def spread_devices(tasks: Sequence[Task]) -> list[Task]:
    """On a machine with several GPUs the cells take turns on them, where none was asked for."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus < 2:
        return list(tasks)
    return [
        replace(t, spec=replace(t.spec, device=f"cuda:{i % gpus}"))
        if t.spec.device in ("auto", "cuda") else t
        for i, t in enumerate(tasks)
    ]  # fmt: skip


def run_in_processes(
    tasks: Sequence[Task],
    at_once: int,
    say: Callable[[str], None],
    done: Callable[[], None],
    work: Callable[[Task], None] = _work,
) -> None:
    """Train cells, `at_once` at a time; a wish to stop is passed on, and each keeps a checkpoint.

    Raises Stopped after that, ValueError at the end when cells failed.
    """
    context, waiting = get_context("spawn"), spread_devices(tasks)
    running: list[tuple[Task, BaseProcess]] = []
    failed, told = 0, False
    with stop_on_signal() as stopped:
        while running or (waiting and not stopped()):
            while waiting and len(running) < at_once and not stopped():
                started = context.Process(target=work, args=(waiting[0],))
                started.start()
                running.append((waiting.pop(0), started))
            if stopped() and not told:
                told = True
                for _, process in running:
                    process.terminate()
            for task, process in [r for r in running if not r[1].is_alive()]:
                running.remove((task, process))
                if read_result(task.folder) is not None:
                    say(f"{task.cell.name}: finished, {len(running) + len(waiting)} to go")
                    done()
                elif not stopped():
                    failed += 1
            time.sleep(LOOK_S)
        if stopped():
            raise Stopped("stopped; the same command goes on")
    if failed:
        raise ValueError(f"{failed} of {len(tasks)} trainings did not finish; see what they said")
