"""Seconds of a training step and an evaluation on this machine, from a run that is thrown away."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch

from train.config import FitSpec
from train.data.batches import batch_to, step_rows
from train.data.pictures import DataSet
from train.evaluate.outputs import predict, torch_runner
from train.loop.state import start_run
from train.loop.step import step_batch, train_step
from train.machine.device import pick_device

WARM = 3  # steps that are not timed, before
TIMED = 6  # that are


def time_run(spec: FitSpec, data: DataSet, init: Path | None = None) -> tuple[float, float]:
    """Seconds of a training step (median) and of an evaluation of the whole hold-out here."""
    torch.set_num_threads(spec.threads)
    with tempfile.TemporaryDirectory() as folder:
        run = start_run(spec, data, Path(folder), pick_device(spec.device), init)
        times = []
        for _, rows in step_rows(data, spec, 0):
            begun = time.perf_counter()
            train_step(run, batch_to(step_batch(data, spec, run.step, rows), run.device))
            times.append(time.perf_counter() - begun)
            run.step += 1
            if run.step == WARM + TIMED:
                break
        held = data.measured()
        begun = time.perf_counter()
        if held:
            run.ema.eval()
            predict(torch_runner(run.ema), data, held[:64], spec)
        part = (time.perf_counter() - begun) * max(1.0, len(held) / 64)
    return statistics.median(times[WARM:]), part
