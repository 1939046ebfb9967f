"""`train finetune`: from a project folder to a model that tracks live.

Plan (train/finetune/plan.py), train, blend with the start, calibrate scores, compare, export.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.whole_files import write_json
from train.export.export import export_model
from train.finetune.auto import train_auto
from train.finetune.blend import blend
from train.finetune.calibrate import calibrate
from train.finetune.choices import FEWEST_HELD, Choice
from train.finetune.compare import compare
from train.finetune.plan import Hooks, Plan, facts_of, write_run
from train.finetune.rounds import RoundsSpec, train_rounds
from train.finetune.stages import Course
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
    final, told = train_course(plan, init, extra, hooks)
    if not leading():
        return {}
    if init is not None and not plan.spec.freeze:
        tells = plan.spec.keep == "best" or plan.census.labelled.get("hold", 0) >= FEWEST_HELD
        chosen = None if tells else half_way(plan)
        weight = blend(init, final, plan.data, plan.spec, chosen)
        if weight < 1:
            hooks.say(f"blend: {weight:g} of the trained weights and the rest of the start's")
    if init is not None:
        same = bool(facts_of(plan.out).get("same_markup"))
        scores = calibrate(init, final, plan.data, plan.spec, same)
        if scores is not None:
            hooks.say(scores.words)
    comparison = compare(plan, final)
    write_json(plan.out / "comparison.json", comparison)
    begun = time.monotonic()
    export_model(final, plan.out / "model.onnx")
    finished = datetime.now().astimezone().isoformat(timespec="seconds")
    took = times(plan, time.monotonic() - begun)
    done = replace(plan, choices=(*plan.choices, *told))
    write_run(done, "finished", finished=finished, **took)
    shutil.rmtree(plan.out / "stages", ignore_errors=True)  # their result is the run's
    return comparison


def times(plan: Plan, export_s: float) -> dict[str, Any]:
    """What a run with a budget of time took, by which the next one is planned."""
    if plan.deadline is None:
        return {}
    return {"took": {"step_s": plan.deadline.step_s, "export_s": export_s}}


def train_course(
    plan: Plan, init: Path | None, extra: dict[str, Any], hooks: Hooks
) -> tuple[Path, tuple[Choice, ...]]:
    """One training, or several (see `Plan.course`): the final checkpoint, and what was chosen on
    the way.
    """
    spec, end = plan.spec, plan.deadline
    if plan.course == "plain":
        return fit(spec, plan.out, plan.out, True, init, hooks.step, extra, plan.data, end), ()
    course = Course(spec, plan.data, plan.out, init, extra, hooks.step, hooks.say, hooks.count, end)
    if plan.course == "auto":
        final, choice = train_auto(course, RoundsSpec())
        return final, (choice,)
    return train_rounds(course, RoundsSpec()), ()


def half_way(plan: Plan) -> float:
    """The weight of a blend that nothing chooses: 0.5; 1 where the base knows other points."""
    facts = facts_of(plan.out)
    return 0.5 if facts.get("same_markup") else 1.0
