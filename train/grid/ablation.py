"""`train ablation`: the paper's four rows (L, L+A, L+ELT, L+ELT+A) of one config, same budget."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tracker.whole_files import write_json, write_table
from train.config import FitSpec
from train.grid.cells import ROWS, row_spec
from train.loop.checkpoint import load_checkpoint
from train.loop.fit import Progress, fit


def ablate(
    spec: FitSpec,
    root: Path,
    out: Path,
    report: Callable[[str, Progress], None] = lambda _, __: None,
) -> list[dict[str, Any]]:
    """Train the rows not finished yet, resuming a cut one; returns and writes the table."""
    table = []
    for name in ROWS:
        folder = out / name.replace("+", "_")
        final = folder / "model.safetensors"
        if not final.exists():
            mine = row_spec(spec, name)
            fit(mine, root, folder, resume=True, report=partial(report, name))
        hold = load_checkpoint(final).extra["hold_out"]
        row: dict[str, Any] = {"row": name, "nme": round(hold["nme"], 3)}
        row["pck@0.1"] = round(hold["pck@0.1"], 4)
        if ROWS[name][0]:
            for key, found in hold["attributes"].items():
                row[key] = round(found.get("accuracy", found.get("mean", 0.0)), 4)
        table.append(row)
        write_table(out / "ablation.csv", table)
        write_json(out / "ablation.json", table)
    return table
