"""Trainings that start where others ended, so that a long one need not be made at a stretch.

Each cell starts with the weights of the finished cell of the same share of labels and seed under
another OUT: of its own row, or of one that learns from less, such as L for L+A. It has a seed of
its own, since the same one would show it the same crops again, and half the rate, as a single
training would have half way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from tracker.project.files import file_sha256
from train.config import FitSpec
from train.reproduce.cells import Cell, read_begun, read_result
from train.reproduce.specs import Row, row_of

AGAIN = 1000  # between the seeds of a training and of the one that starts from it
SLOWER = 0.5  # its rate, relative to that one's


@dataclass(frozen=True, slots=True)
class Start:
    """The finished training that another one starts from."""

    row: str
    model: Path
    sha256: str
    steps: int  # of it and all before it
    trainings: int  # it and all before it

    @property
    def facts(self) -> dict[str, Any]:
        """What begun.json and result.json say of it."""
        return {
            "start": self.row, "start_sha256": self.sha256, "steps_before": self.steps,
            "trainings_before": self.trainings,
        }  # fmt: skip

    def further(self, spec: FitSpec) -> FitSpec:
        """The spec with a seed that none of the trainings before had, and a lower rate."""
        seed, rate = spec.seed + AGAIN * self.trainings, spec.lr * SLOWER**self.trainings
        return replace(spec, seed=seed, lr=rate)


def rows_within(row: str) -> list[str]:
    """A row, then those of the same network with fewer terms, the most terms first."""
    net, terms = row_of(row).net, row_of(row).terms
    fewer = [t for n in range(len(terms), 0, -1) for t in combinations(sorted(terms), n)]
    return [Row(net, frozenset(t)).name for t in fewer]


def start_of(out: Path, cell: Cell) -> Start:
    """The finished cell under `out` that a cell starts from; ValueError where there is none."""
    for row in rows_within(cell.row):
        folder = out / replace(cell, row=row).folder
        result, begun, model = read_result(folder), read_begun(folder), folder / "model.safetensors"
        if result is not None and begun is not None and model.is_file():
            steps = result["steps"] + result.get("steps_before", 0)
            trainings = 1 + result.get("trainings_before", 0)
            return Start(row, model, file_sha256(model), steps, trainings)
    raise ValueError(
        f"--from {out} has no finished training that {cell.name} could start from; train it there "
        "first, or leave out --from"
    )
