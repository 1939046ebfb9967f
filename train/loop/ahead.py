"""Batches made ahead by other processes, while the training computes on the one before.

A batch depends on (seed, step) alone, so it is the same whoever makes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from train.config import FitSpec
from train.data.batches import step_rows
from train.data.pictures import DataSet
from train.loop.step import step_batch
from train.losses.paper import Batch
from train.machine.ranks import world

EACH = 4  # batches that a process may be ahead
LOST = "DataLoader worker (pid"  # how the library's error begins when a process of its own died


class Steps(Dataset[Batch]):
    """The batch of (step, rows); the library demands this base class."""

    def __init__(self, data: DataSet, spec: FitSpec) -> None:
        self.data, self.spec = data, spec

    def __getitem__(self, step_and_rows: tuple[int, list[int]]) -> Batch:
        step, rows = step_and_rows
        batch = step_batch(self.data, self.spec, step, rows)
        return replace(batch, image=batch.image.byte())  # a quarter to hand over; still exact


def batches(data: DataSet, spec: FitSpec, start: int) -> Iterator[tuple[int, Batch]]:
    """(objects and negatives in the whole batch, this process's part) of each step, for ever.

    ValueError where both other processes and torchrun are asked for.
    """
    if spec.workers and world() > 1:
        raise ValueError("torchrun's processes make their own batches; set workers to 0")
    rows = step_rows(data, spec, start)
    if not spec.workers:
        return ((len(r), step_batch(data, spec, step, r)) for step, r in rows)
    loader = DataLoader(
        Steps(data, spec), batch_size=None, sampler=rows, num_workers=spec.workers,
        prefetch_factor=EACH, worker_init_fn=_alone,
    )  # fmt: skip
    # A child does not inherit OpenCV's threads, but waits for them to end: none may be there.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    made = iter(loader)  # starts the children
    cv2.setNumThreads(threads)
    return ((len(b.rows), replace(b, image=b.image.float())) for b in made)


def _alone(_worker: int) -> None:
    """A worker computes on one thread, on any core: a training may be bound to some."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
