"""The files of a run that people read: metrics.csv and split.json."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.whole_files import write_json, write_table
from train.data.pictures import DataSet


@dataclass(slots=True)
class Running:
    """Sums of the loss terms since the last row of metrics.csv; kept in checkpoints."""

    sums: dict[str, float]
    count: int

    def add(self, terms: dict[str, float]) -> None:
        """One more step."""
        for k, v in terms.items():
            self.sums[k] = self.sums.get(k, 0.0) + v
        self.count += 1

    def take_mean(self) -> dict[str, float]:
        """The means, and start anew."""
        mean = {k: v / max(1, self.count) for k, v in self.sums.items()}
        self.sums, self.count = {}, 0
        return mean


class MetricsLog:
    """metrics.csv: one row an evaluation; on resume, rows after the checkpoint are dropped."""

    def __init__(self, path: Path, start: int) -> None:
        self.path = path
        self.rows: list[dict[str, str]] = []
        if start and path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                self.rows = [r for r in csv.DictReader(file) if int(r["step"]) <= start]

    def add(self, row: dict[str, Any]) -> None:
        """Append and write the whole small file anew, atomically."""
        self.rows.append({k: str(v) for k, v in row.items()})
        write_table(self.path, self.rows)


def metrics_row(step: int, mean: dict[str, float], hold: dict[str, Any] | None) -> dict[str, Any]:
    """One row of metrics.csv: mean training terms since the last row, hold-out numbers."""
    row: dict[str, Any] = {"step": step} | {f"train_{k}": round(v, 6) for k, v in mean.items()}
    if hold is not None:
        row["hold_nme"] = round(hold["nme"], 4)
        for name, nme in hold.get("nme_by_quality", {}).items():
            row[f"hold_nme_{name}"] = round(nme, 4)
        for name, found in hold["attributes"].items():
            key = "accuracy" if "accuracy" in found else "mean"
            row[f"hold_{name}_{key}"] = round(found[key], 4)
    return row


def write_split(path: Path, data: DataSet) -> None:
    """Which group is held out, so that a later run or a reader can check it."""
    groups = {
        name: sorted({f"{e.source}/{e.group}" for e in data.examples if e.hold == hold})
        for name, hold in (("train", False), ("hold", True))
    }
    write_json(path, groups)
