"""`train finetune`: from a project folder to a model that tracks live.

Plan (train/finetune/plan.py), train, blend with the start, compare, export.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from tracker.whole_files import write_whole
from train.export.export import export_model
from train.finetune.blend import blend
from train.finetune.choices import FEWEST_HELD
from train.finetune.compare import compare
from train.finetune.plan import Hooks, Plan, facts_of, write_run
from train.loop.fit import fit
from train.machine.ranks import leading
from train.project.layout import Project


def await_start(project: Project, name: str, patience: float = 3600.0) -> None:
    """Wait until the first of several processes has planned the run and written run.json."""
    path, until = project.models_dir / name / "run.json", time.monotonic() + patience
    while not path.is_file():
        if time.monotonic() > until:
            raise ValueError(f"{path} did not appear; look at what the first process says")
        time.sleep(0.2)


def run_plan(plan: Plan, hooks: Hooks) -> dict[str, Any]:
    """Train, export, compare; returns the comparison."""
    extra = {
        "licence": f"as that of {plan.base} and of the project's own clips",
        "data": f"{plan.project.name}: {plan.census.labelled.get('train', 0)} labelled objects, "
        f"{plan.census.unlabelled.get('train', 0)} unlabelled frames",
    }
    init = plan.start if plan.start.is_file() else None
    final = fit(plan.spec, plan.out, plan.out, True, init, hooks.step, extra, plan.data)
    if not leading():
        return {}
    if init is not None and not plan.spec.freeze:
        tells = plan.spec.keep == "best" or plan.census.labelled.get("hold", 0) >= FEWEST_HELD
        chosen = None if tells else half_way(plan)
        weight = blend(init, final, plan.data, plan.spec, chosen)
        if weight < 1:
            hooks.say(f"blend: {weight:g} of the trained weights and the rest of the start's")
    comparison = compare(plan, final)
    write_whole(plan.out / "comparison.json", json.dumps(comparison, indent=1).encode())
    export_model(final, plan.out / "model.onnx")
    finished = datetime.now().astimezone().isoformat(timespec="seconds")
    write_run(plan, "finished", finished=finished)
    return comparison


def half_way(plan: Plan) -> float:
    """The weight of a blend that nothing chooses: 0.5; 1 where the base knows other points."""
    facts = facts_of(plan.out)
    return 0.5 if facts.get("same_markup") else 1.0
