"""What the losses beyond the paper bring: teacher, temporal, plausible, each beside L+ELT.

    python -m docs.studies.beyond --clips FOLDER --bundle FILE.task --out runs/beyond

A project of three clips of hands. Every sixth frame of two of them is labelled by MediaPipe's hand
landmarker (a teacher, not truth), the rest is unlabelled; the third clip, labelled likewise, is the
hold-out. Every row has the same number of steps from the bundled hand model; what counts are the
last weights, blended with those of the start by the share that is best on the hold-out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from docs.studies.labels.taught_project import taught_project
from tracker.whole_files import write_table
from train.finetune.choices import Budget, parse_losses
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Wish, plan_run

CLIPS = ("hand_opening.mp4", "face_and_thumb.mp4", "hand_desk.mp4")
EVERY = 6  # frames
ROWS = ("L", "L+ELT", "L+ELT+teacher", "L+ELT+temporal", "L+ELT+plausible")


def main(
    clips: Annotated[Path, typer.Option(help="Folder with the three clips.")],
    bundle: Annotated[Path, typer.Option(help="MediaPipe's hand_landmarker.task.")],
    out: Annotated[Path, typer.Option(help="Folder of the project.")] = Path("runs/beyond"),
    steps: Annotated[int, typer.Option(help="Training steps of each cell.")] = 300,
    seeds: Annotated[int, typer.Option(help="Runs of each row.")] = 2,
) -> None:
    """Train what is missing, print means and spread over seeds."""
    project = taught_project([clips / name for name in CLIPS], bundle, out / "project", EVERY)
    table = []
    for row in ROWS:
        found = []
        for seed in range(seeds):
            name = f"{row.replace('+', '_')}_{seed}"
            done = project.models_dir / name / "comparison.json"
            if not done.is_file():
                losses = parse_losses(row)
                budget = Budget(steps=steps)
                wish = Wish("hand21", budget, losses, seed, 1, "cpu", name, before=0.0)
                hooks = Hooks(say=lambda text: print(f"  {text}", flush=True))
                plan = plan_run(project.root, wish, hooks)
                plan = replace(plan, spec=replace(plan.spec, keep="last", patience=0))
                run_plan(plan, hooks)
            comparison = json.loads(done.read_text(encoding="utf-8"))
            base = comparison["base"]["nme"]
            found.append(comparison["tuned"]["nme"])
        table.append({
            "row": row, "seeds": seeds, "base": round(base, 3),
            "nme": round(float(np.mean(found)), 3), "low": round(min(found), 3),
            "high": round(max(found), 3),
        })  # fmt: skip
        print(table[-1], flush=True)
        write_table(out / "beyond.csv", table)


if __name__ == "__main__":
    typer.run(main)
