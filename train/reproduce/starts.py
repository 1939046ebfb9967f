"""Trainings that start where others ended, so that a long one need not be made at a stretch.

Each cell starts with the weights of the finished cell of the same name under another OUT, and with
a seed of its own: the same one would show it the same crops again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tracker.project.files import file_sha256
from train.config import FitSpec
from train.reproduce.cells import Cell, read_begun, read_result

AGAIN = 1000  # between the seeds of a training and of the one that starts from it


@dataclass(frozen=True, slots=True)
class Start:
    """The finished training that another one starts from."""

    model: Path
    sha256: str
    data: str  # digest of what it was trained on
    steps: int  # of it and all before it
    trainings: int  # it and all before it

    @property
    def facts(self) -> dict[str, Any]:
        """What begun.json and result.json say of it."""
        return {
            "start_sha256": self.sha256, "steps_before": self.steps,
            "trainings_before": self.trainings,
        }  # fmt: skip

    def further(self, spec: FitSpec) -> FitSpec:
        """The spec with a seed that none of the trainings before had."""
        return replace(spec, seed=spec.seed + AGAIN * self.trainings)


def start_of(out: Path, cell: Cell) -> Start:
    """The finished cell under `out`; ValueError where there is none."""
    folder = out / cell.folder
    result, begun, model = read_result(folder), read_begun(folder), folder / "model.safetensors"
    if result is None or begun is None or not model.is_file():
        raise ValueError(
            f"--from {out} has no finished training of {cell.name}; train it there first, or leave "
            "out --from"
        )
    return Start(
        model, file_sha256(model), begun["data"], result["steps"] + result.get("steps_before", 0),
        1 + result.get("trainings_before", 0),
    )  # fmt: skip
