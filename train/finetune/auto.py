"""`--losses auto`: the hold-out says what unlabelled pictures are used for.

Labels alone train first. From there labels alone, the ELT and a round of self-training go on for
the same time; the one that is better on the held-out objects has the rest of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.config import FitSpec
from train.evaluate import metrics
from train.evaluate.outputs import predict, torch_runner
from train.finetune.choices import ELT_WEIGHT, Choice
from train.finetune.rounds import RoundsSpec, train_round, with_steps
from train.finetune.stages import (
    Course,
    Stage,
    cost,
    hold_badness,
    publish,
    run_stage,
    telling,
)
from train.loop.checkpoint import load_model
from train.loop.progress import ProgressFile
from train.machine.device import pick_device

FIRST, TRIAL = 0.4, 0.12  # of the steps: labels alone, before; each of the three
CHOSEN = "losses chosen"
SURE = 2.0  # standard errors by which a gain must exceed nothing


def train_auto(course: Course, rounds: RoundsSpec) -> tuple[Path, Choice]:
    """The run's final checkpoint, the best of all on the hold-out, and what was chosen."""
    steps = course.spec.steps
    first, each = max(1, round(FIRST * steps)), max(2, round(TRIAL * steps))
    plain, elt = course.spec, with_elt(course.spec)
    with telling(course) as told:
        stage = Stage("labels", with_steps(plain, first), course.data, course.start, 0)
        begun = run_stage(course, stage, told)
        trials = {
            "L": _trial(course, plain, begun, ("trial_L", first, each), told),
            "L+ELT": _trial(course, elt, begun, ("trial_ELT", first + each, each), told),
        }
        taught = train_round(course, rounds, begun, (1, first + 2 * each, each), told)
        trials |= {} if taught is None else {"L+rounds": taught}
        choice = judge({name: held_errors(course, path) for name, path in trials.items()})
        course.say(f"{choice.what}: {choice.value} ({choice.why})")
        chosen = choice.value
        before = first + 3 * each
        left = max(2, steps - before)
        if chosen == "L+rounds":
            last = train_round(course, rounds, trials[chosen], (2, before, left), told)
        else:
            spec = elt if chosen == "L+ELT" else plain
            last = _trial(course, spec, trials[chosen], ("rest", before, left), told)
        ends = [begun, *trials.values(), *([] if last is None else [last])]
        best = min(ends, key=hold_badness)
    return publish(course, best), choice


def _trial(
    course: Course, spec: FitSpec, init: Path, at: tuple[str, int, int], told: ProgressFile
) -> Path:
    """A training of so many of the course's steps, fewer of its own where each costs more."""
    name, before, steps = at
    own = with_steps(spec, max(1, round(steps / cost(spec))))
    return run_stage(course, Stage(name, own, course.data, init, before), told)


def with_elt(spec: FitSpec) -> FitSpec:
    """The spec with the ELT: half of a batch has no labels."""
    loss = replace(spec.loss, alpha=ELT_WEIGHT)
    return replace(spec, loss=loss, data=replace(spec.data, labelled_share=0.5))


def held_errors(course: Course, final: Path) -> NDArray[np.float64]:
    """NME (%) of each held-out object with labels by a training's result."""
    data, spec = course.data, course.spec
    rows = [
        i for i in data.rows(hold=True)
        if data.examples[i].labelled.any() and not data.examples[i].negative
    ]  # fmt: skip
    model, _ = load_model(final)
    model.to(pick_device(spec.device))
    out = predict(torch_runner(model), data, rows, spec)
    errors = metrics.point_errors(out.xy, out.target, out.labelled)
    lengths = metrics.normalisers(out.target, out.labelled, tuple(spec.data.normaliser))
    return metrics.nme_per_image(errors, lengths)


def judge(errors: Mapping[str, NDArray[np.float64]]) -> Choice:
    """Which of several trainings to go on with, and why.

    The first is the cheapest, and is taken unless the best of the others gains more than SURE
    standard errors of the difference on the same objects.
    """
    plain, *others = errors
    means = {name: float(np.nanmean(e)) for name, e in errors.items()}
    best = min(others, key=lambda name: means[name])
    gain = errors[plain] - errors[best]
    gain = gain[np.isfinite(gain)]
    unsure = float(gain.std(ddof=1)) / len(gain) ** 0.5 if len(gain) > 1 else float("inf")
    told = ", ".join(f"{name} {mean:.2f} %" for name, mean in means.items())
    told = f"after the same time {told} on {len(gain)} held-out objects"
    if float(gain.mean()) > SURE * unsure:
        return Choice(CHOSEN, best, told)
    return Choice(CHOSEN, plain, f"{told}: no difference shown, so the cheapest")
