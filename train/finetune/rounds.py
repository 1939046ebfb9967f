"""Self-training in rounds: labels teach a network, the network labels pictures, both teach again.

A round begins with the best weights so far, labels unlabelled pictures over many views
(train/data/pseudo_labels.py) and trains on both; half of a batch stays labelled by hand. Rounds are
repeated while the hold-out gains.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from train.config import FitSpec
from train.data.pictures import DataSet
from train.data.pseudo_labels import (
    LABELLED,
    PSEUDO,
    UNLABELLED,
    ViewSpec,
    kept_pseudo_labels,
    label_pictures,
    point_weight,
    unlabelled_rows,
    with_pseudo_labels,
    write_pseudo_labels,
)
from train.finetune.stages import Course, Stage, hold_badness, publish, run_stage, telling
from train.loop.checkpoint import load_model
from train.loop.progress import ProgressFile
from train.machine.device import pick_device

VIEWS_A_PICTURE = 3  # views are labelled in about the time in which one picture trains


@dataclass(frozen=True, slots=True)
class RoundsSpec:
    """How the steps of a run are shared out between labels, looking and rounds."""

    most: int = 2  # rounds
    first: float = 0.45  # of the steps: from labels alone, before any round
    looking: float = 0.2  # of a round's steps, in whose time its pictures are labelled
    by_hand: float = 0.5  # of a round's batches
    views: ViewSpec = field(default_factory=ViewSpec)


def train_rounds(course: Course, rounds: RoundsSpec) -> Path:
    """Labels alone, then rounds while the hold-out gains; returns the run's final checkpoint.

    Without a hold-out that tells (the spec keeps the last weights) there is one round, and it is
    taken.
    """
    steps, tells = course.spec.steps, course.spec.keep == "best"
    most = rounds.most if tells else 1
    begun = max(1, round(rounds.first * steps))
    each = max(1, (steps - begun) // most)
    with telling(course) as told:
        spec = with_steps(course.spec, begun)
        best = run_stage(course, Stage("labels", spec, course.data, course.start, 0), told)
        for number in range(1, most + 1):
            before = begun + (number - 1) * each
            found = train_round(course, rounds, best, (number, before, each), told)
            if found is None:
                break
            was, now = hold_badness(best), hold_badness(found)
            if tells:
                course.say(f"round {number}: {was:.2f} -> {now:.2f} % on the hold-out")
            if tells and now >= was:
                break
            best = found
    return publish(course, best)


def train_round(
    course: Course, rounds: RoundsSpec, teacher: Path, at: tuple[int, int, int],
    told: ProgressFile,
) -> Path | None:  # fmt: skip
    """One round from a teacher's weights; None where it is sure of nothing.

    `at`: the round's number, the step at which it begins, and how many it may take, looking and
    all.
    """
    number, before, steps = at
    looking = min(max(1, round(rounds.looking * steps)), steps - 1)
    data = look(course, rounds.views, teacher, number, looking)
    spec = round_spec(course.spec, data, rounds.by_hand)
    if spec is None:
        course.say(f"round {number}: the network is sure of no point of the unlabelled pictures")
        return None
    stage = Stage(
        f"round{number}", with_steps(spec, steps - looking), data, teacher, before + looking
    )
    return run_stage(course, stage, told)


def look(course: Course, views: ViewSpec, teacher: Path, number: int, steps: int) -> DataSet:
    """The course's data with the teacher's labels, made in the time of so many steps; those that
    were made before a run was cut off are taken.
    """
    path = course.stages / f"round{number}_labels.npz"
    spec = course.spec
    found = kept_pseudo_labels(path)
    if found is None:
        rows = unlabelled_rows(course.data)
        most = max(1, steps * spec.batch * VIEWS_A_PICTURE // views.count)
        if len(rows) > most:
            rng = np.random.default_rng([spec.seed, 11, number])
            rows = sorted(int(i) for i in rng.choice(rows, most, replace=False))
        model, _ = load_model(teacher)
        model.to(pick_device(spec.device))
        what = f"round {number}: labelling pictures"
        found = label_pictures(
            model, course.data, rows, spec, views, lambda done, of: course.count(what, done, of)
        )
        write_pseudo_labels(path, found)
    sure = float((point_weight(found.spread, views) > 0).mean()) if len(found.rows) else 0.0
    course.say(f"round {number}: {len(found.rows)} pictures labelled, {100 * sure:.0f} % of points")
    return with_pseudo_labels(course.data, found, views)


def round_spec(spec: FitSpec, data: DataSet, by_hand: float) -> FitSpec | None:
    """The spec of a round: which share of a batch is labelled by hand, by the network and not at
    all (where the ELT or attributes can use it). None without pseudo-labels.
    """
    train = [e for e in data.examples if not e.hold and not e.negative]
    there = {e.quality for e in train}
    if PSEUDO not in there:
        return None
    others = {PSEUDO: 1 - by_hand}
    used = spec.loss.alpha > 0 or spec.loss.attribute > 0
    if used and UNLABELLED in there:
        others = {PSEUDO: (1 - by_hand) / 2, UNLABELLED: (1 - by_hand) / 2}
    return replace(spec, data=replace(spec.data, shares={LABELLED: by_hand, **others}))


def with_steps(spec: FitSpec, steps: int) -> FitSpec:
    """The spec with another number of steps, evaluated as often in proportion to them."""
    every = min(spec.evaluate_every, steps)
    return replace(
        spec, steps=steps, evaluate_every=every, warmup=min(spec.warmup, max(1, steps // 10)),
        checkpoint_every=min(spec.checkpoint_every, every),
    )  # fmt: skip
