"""The folder of a cell: which training it is, what it was begun with, and its result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """Which training."""

    experiment: str
    row: str
    share: float
    seed: int

    @property
    def folder(self) -> Path:
        """Its folder under OUT, such as blocks/Seq-MT_L+ELT+A/0.05/0."""
        row = self.row.replace(" ", "_").replace("(", "").replace(")", "")
        return Path(self.experiment) / row / f"{self.share:g}" / str(self.seed)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.experiment} {self.row}, {100 * self.share:g} %, seed {self.seed}"


def read_result(folder: Path) -> dict[str, Any] | None:
    """A finished cell's result.json; None where there is none."""
    path = folder / "result.json"
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}); remove its folder to train it") from error
    return found


def read_begun(folder: Path) -> dict[str, Any] | None:
    """What a cell was started with; None where it was not."""
    path = folder / "begun.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
