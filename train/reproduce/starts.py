"""Trainings that start where others ended: to lengthen a finished one, or to add a term to it.

Each cell starts with the weights of the finished cell of the same share of labels and seed under
another OUT: of its own row, or of one that learns from less, such as L for L+A. It has a seed of
its own, since the same one would show it the same crops again, and half the rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from tracker.whole_files import file_sha256
from train.config import FitSpec, spec_from_dict
from train.grid.resume import read_begun, read_result
from train.reproduce.experiments import Cell
from train.reproduce.specs import Row, row_of

AGAIN = 1000  # between the seeds of a training and of the one that starts from it
SLOWER = 0.5  # its rate, relative to that one's
MODEL = "model.safetensors"


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

    @property
    def words(self) -> str:
        """For people."""
        return f"starts from {self.row} after {self.steps} steps"

    def further(self, spec: FitSpec) -> FitSpec:
        """The spec with a seed that none of the trainings before had, and a lower rate."""
        seed = spec.seed + AGAIN * self.trainings
        return replace(spec, seed=seed, lr=spec.lr * SLOWER**self.trainings)


def rows_within(row: str) -> list[str]:
    """A row, then those of the same network with fewer terms, the most terms first."""
    net, terms = row_of(row).net, row_of(row).terms
    fewer = [t for n in range(len(terms), 0, -1) for t in combinations(sorted(terms), n)]
    return [Row(net, frozenset(t)).name for t in fewer]


def start_of(source: Path, cell: Cell, out: Path) -> Start:
    """The finished cell under `source` that a cell under `out` starts from.

    A cell that was begun keeps the row that it was begun from, and where it is finished nothing of
    it need be there. Raises ValueError where there is nothing to start from.
    """
    if source.resolve() == out.resolve():
        raise ValueError(f"--from and --out are both {out}; choose another --out")
    begun = read_begun(out / cell.folder) or {}
    if "start" in begun:
        model = source / replace(cell, row=begun["start"]).folder / MODEL
        sha = file_sha256(model) if model.is_file() else begun["start_sha256"]
        steps, trainings = begun["steps_before"], begun["trainings_before"]
        return Start(begun["start"], model, sha, steps, trainings)
    for row in rows_within(cell.row):
        folder = source / replace(cell, row=row).folder
        result = read_result(folder)
        if result is not None:
            steps = result["steps"] + result.get("steps_before", 0)
            trainings = 1 + result.get("trainings_before", 0)
            return Start(row, folder / MODEL, file_sha256(folder / MODEL), steps, trainings)
    raise ValueError(
        f"--from {source} has no finished training that {cell.name} could start from; train it "
        "there first, or leave out --from"
    )


def check_start(start: Start, spec: FitSpec, digest: str) -> None:
    """ValueError when a cell cannot start from a training: of another network, or other data.

    `digest` is of what the start's row learns from in the data at hand.
    """
    folder = start.model.parent
    begun = read_begun(folder)
    if begun is None or not start.model.is_file() or file_sha256(start.model) != start.sha256:
        raise ValueError(
            f"{start.model} is not the file that this training was to start from; put it back, or "
            "choose another --out"
        )
    if begun["data"] != digest:
        raise ValueError(
            f"{folder} was trained on other data; leave out --from, or give the data that it was "
            "trained on"
        )
    if spec_from_dict(begun["spec"]).net != spec.net:
        raise ValueError(
            f"{folder} was trained with another network; leave out --from, or train it anew"
        )
