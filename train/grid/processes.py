"""Trainings as processes of this machine, several at once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

import torch

from tracker.errors import UserError
from tracker.printable import printable
from tracker.stop import Stopped, stop_on_signal
from train.grid.resume import J, read_result

LOOK_S = 0.2  # between two looks at the processes


def attempt(work: Callable[[J], object], job: J) -> None:
    """In a process of its own: train, or say why not and end with an error's code."""
    try:
        work(job)
    except Stopped:
        sys.exit(130)
    except (UserError, ValueError, OSError, FloatingPointError) as error:
        print(printable(f"train: {job.name}: {error}"), file=sys.stderr)
        sys.exit(1)


def spread_devices(jobs: Sequence[J]) -> list[J]:
    """On a machine with several GPUs they take turns on them, where none was asked for."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus < 2:
        return list(jobs)
    free = ("auto", "cuda")
    return [j.on(f"cuda:{i % gpus}") if j.spec.device in free else j for i, j in enumerate(jobs)]


def run_in_processes(
    jobs: Sequence[J],
    work: Callable[[J], object],
    at_once: int,
    say: Callable[[str], None],
    done: Callable[[], None],
) -> None:
    """`work` on jobs, `at_once` at a time; on a wish to stop each of them keeps a checkpoint.

    Raises Stopped after that, ValueError at the end when some failed. A process that begins anew
    must find `work` by its name. A job is finished where it has left a result.json.
    """
    context, waiting = get_context("spawn"), spread_devices(jobs)
    running: list[tuple[J, BaseProcess]] = []
    failed, told = 0, False
    with stop_on_signal() as stopped:
        while running or (waiting and not stopped()):
            while waiting and len(running) < at_once and not stopped():
                started = context.Process(target=attempt, args=(work, waiting[0]))
                started.start()
                running.append((waiting.pop(0), started))
            if stopped() and not told:
                told = True
                for _, process in running:
                    process.terminate()
            for job, process in [r for r in running if not r[1].is_alive()]:
                running.remove((job, process))
                if read_result(job.folder) is not None:
                    say(f"{job.name}: finished, {len(running) + len(waiting)} to go")
                    done()
                elif not stopped():
                    failed += 1
            time.sleep(LOOK_S)
        if stopped():
            raise Stopped("stopped; the same command goes on")
    if failed:
        raise ValueError(f"{failed} of {len(jobs)} trainings did not finish; see what they said")
