"""What 12 labelled frames of one clip bring on another: the tour of docs/teach.md, by its defaults.

    python -m docs.studies.labels.tour_gain --clips FOLDER --bundle FILE.task --out runs/tour

Every fourth frame of two clips of hands is labelled by MediaPipe's hand landmarker (a teacher, not
truth; needs the extra `mediapipe`). Of hand_opening.mp4 12 of these are kept, evenly; hand_desk.mp4
is held out with all of them. Each seed is a whole run of `train finetune --losses L` (or other
losses) from the bundled hand model; with `--spread` the 12 labels spread to the frames between
them first, and the proposals are learnt from as nobody looked at them. The hold-out also chooses
weights, as for everybody, which flatters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from docs.studies.labels.spread_gain import spread_all
from docs.studies.labels.taught_project import taught_project
from tracker.find.model_file import is_project
from tracker.whole_files import write_table
from train.finetune.choices import Budget, parse_losses
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Wish, plan_run
from train.project.layout import Project, open_project
from train.project.store import Store

TAUGHT, HELD = "hand_opening.mp4", "hand_desk.mp4"
EVERY = 4  # frames


def make_project(clips: Path, bundle: Path, root: Path, count: int) -> Project:
    """The labelled project with `count` labelled frames to learn from; it is kept."""
    if is_project(root):
        return open_project(root)
    project = taught_project([clips / name for name in (TAUGHT, HELD)], bundle, root, EVERY)
    with Store.open(project) as store:
        own = sorted(key for key in store.labels.frames if key[0] == TAUGHT)
        kept = {own[i] for i in np.linspace(0, len(own) - 1, count).round().astype(int)}
        for key in own:
            if key not in kept:
                store.remove_frame(*key)
        store.save()
    return project


def main(
    clips: Annotated[Path, typer.Option(help="Folder with the two clips.")],
    bundle: Annotated[Path, typer.Option(help="MediaPipe's hand_landmarker.task.")],
    out: Annotated[Path, typer.Option(help="Folder of the project.")] = Path("runs/tour"),
    labels: Annotated[int, typer.Option(help="Labelled frames to learn from.")] = 12,
    steps: Annotated[int, typer.Option(help="Steps of each run, at most.")] = 90,
    seeds: Annotated[int, typer.Option(help="Runs.")] = 3,
    losses: Annotated[str, typer.Option(help="As of train finetune.")] = "L",
    spread: Annotated[bool, typer.Option("--spread", help="Spread the labels first.")] = False,
) -> None:
    """Train the seeds that are missing and print what each brought."""
    project = make_project(clips, bundle, out / "project", labels)
    if spread:
        with Store.open(project) as store:
            if not store.labels.proposals:
                spread_all(project, store, HELD, False)
    table = []
    for seed in range(seeds):
        name = f"{losses.replace(',', '_')}_seed{seed}" + ("_spread" if spread else "")
        path = project.models_dir / name / "comparison.json"
        if not path.is_file():
            wish = Wish(
                "hand21", Budget(steps=steps), parse_losses(losses), seed, 1, "cpu",
                name, before=0.0, spread=spread,
            )  # fmt: skip
            hooks = Hooks(say=lambda text: print(f"  {text}", flush=True))
            run_plan(plan_run(project.root, wish, hooks), hooks)
        told = json.loads(path.read_text(encoding="utf-8"))
        change = told["change"]
        table.append({
            "losses": losses, "spread": spread, "seed": seed, "base": round(told["base"]["nme"], 3),
            "nme": round(told["tuned"]["nme"], 3), "percent": round(change["percent"], 1),
            "low": round(change["low"], 1), "high": round(change["high"], 1),
            "verdict": change["verdict"],
        })  # fmt: skip
        print(table[-1], flush=True)
        write_table(out / "tour.csv", table)


if __name__ == "__main__":
    typer.run(main)
