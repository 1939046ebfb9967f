"""`--losses auto`: the hold-out says what unlabelled pictures are used for.

Labels alone train first. From there labels alone, the ELT and a round of self-training go on for
the same time; the one that is better on the held-out objects has the rest of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.config import FitSpec
from train.evaluate.interval import change_between
from train.evaluate.outputs import nme_of, predict, torch_runner
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
        rows = course.data.landmarked(hold=True)
        clips = [course.data.examples[i].group for i in rows]
        choice = judge({n: held_errors(course, path, rows) for n, path in trials.items()}, clips)
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


def held_errors(course: Course, final: Path, rows: Sequence[int]) -> NDArray[np.float64]:
    """NME (%) of each of these objects by a training's result."""
    model, _ = load_model(final)
    model.to(pick_device(course.spec.device))
    out = predict(torch_runner(model), course.data, rows, course.spec)
    return nme_of(out, course.spec.data.normaliser)


def judge(errors: Mapping[str, NDArray[np.float64]], clips: Sequence[str]) -> Choice:
    """Which of several trainings to go on with, by their errors on the same objects, and why.

    `clips`: of which clip each object is. The first training is the cheapest, and is taken unless
    the best of the others is shown to be better (see train/evaluate/interval.py).
    """
    plain, *others = errors
    means = {name: float(np.nanmean(e)) for name, e in errors.items()}
    best = min(others, key=lambda name: means[name])
    change = change_between(errors[plain], errors[best], clips)
    objects = 0 if change is None else change.objects
    told = ", ".join(f"{name} {mean:.2f} %" for name, mean in means.items())
    told = f"after the same time {told} on {objects} held-out objects"
    if change is not None and change.verdict == "better":
        return Choice(CHOSEN, best, told)
    return Choice(CHOSEN, plain, f"{told}: no difference shown, so the cheapest")
