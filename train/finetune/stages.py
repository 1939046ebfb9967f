"""A run of several trainings, one after the other, each resumed and finished by itself.

OUT/stages/NAME holds what a training writes; OUT/progress.json and OUT/metrics.csv tell of all of
them together, so that whoever watches a run sees one.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tracker.whole_files import write_table
from train.config import FitSpec
from train.data.pictures import DataSet
from train.loop.checkpoint import load_checkpoint, load_model, save_checkpoint
from train.loop.deadline import Deadline
from train.loop.fit import fit
from train.loop.progress import Progress, ProgressFile
from train.loop.state import badness

BEFORE = "before"  # in a training's checkpoint: the course's step at which it began


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What all trainings of a run share. `spec` is that of a training from labels alone; its steps
    are those that the run may take, all together.
    """

    spec: FitSpec
    data: DataSet
    out: Path
    start: Path | None  # weights to start from; None: from scratch
    extra: Mapping[str, Any] = field(default_factory=dict)  # licence, data: kept in checkpoints
    report: Callable[[Progress], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    count: Callable[[str, int, int], None] = lambda _, __, ___: None
    deadline: Deadline | None = None  # of all trainings together; None: steps alone count

    @property
    def stages(self) -> Path:
        """The folder of the trainings' folders."""
        return self.out / "stages"


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One training of a course."""

    name: str  # of its folder
    spec: FitSpec
    data: DataSet
    init: Path | None
    before: int  # the course's step at which it begins


def run_stage(course: Course, stage: Stage, told: ProgressFile) -> Path:
    """Train it, or go on with it, or nothing where it is finished; returns its final checkpoint."""
    folder = course.stages / stage.name
    final = folder / "model.safetensors"
    if final.is_file():
        return final

    def report(p: Progress) -> None:
        whole = replace(p, step=stage.before + p.step, steps=course.spec.steps)
        told.step(whole)
        if p.hold is not None:
            add_log(course.out / "metrics.csv", folder / "metrics.csv", stage.before)
        course.report(whole)

    extra, end = {**course.extra, BEFORE: stage.before}, part_of_time(course, stage)
    fit(stage.spec, course.out, folder, True, stage.init, report, extra, stage.data, end)
    if course.deadline is not None and end is not None:
        course.deadline.step_s = end.step_s / cost(stage.spec)
        course.deadline.evaluation_s = end.evaluation_s
    return final


def part_of_time(course: Course, stage: Stage) -> Deadline | None:
    """A training has the part of the time left that its steps are of the steps left."""
    if course.deadline is None:
        return None
    steps = stage.spec.steps * cost(stage.spec)
    share = steps / max(steps, course.spec.steps - stage.before)
    end = course.deadline.part(1.0 if share > 0.95 else share)
    end.step_s = end.usual_s = course.deadline.step_s * cost(stage.spec)
    return end


def cost(spec: FitSpec) -> float:
    """Pictures that pass the network in a step, over those of its batch."""
    warped = (1 - spec.data.labelled_share) * spec.loss.elt_share if spec.loss.alpha else 0.0
    return 1.0 + warped


def add_log(whole: Path, part: Path, before: int) -> None:
    """Put a training's rows, that began at step `before`, in the place of those after it."""
    rows = [r for r in _rows(whole) if int(r["step"]) <= before]
    rows += [r | {"step": str(before + int(r["step"]))} for r in _rows(part)]
    write_table(whole, rows)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@contextmanager
def telling(course: Course) -> Iterator[ProgressFile]:
    """The course's progress.json, which ends with how the trainings in the block end."""
    told = ProgressFile(course.out / "progress.json", course.out.name)
    with told.telling():
        yield told


def hold_badness(final: Path) -> float:
    """`badness` of a finished training on the hold-out; infinite where nothing is held out."""
    return badness(load_checkpoint(final).extra.get("hold_out"))


def publish(course: Course, final: Path) -> Path:
    """Make a training's result that of the run, with the course's step; its path."""
    model, found = load_model(final)
    extra = dict(found.extra)
    step = int(extra.pop(BEFORE)) + found.step
    out = course.out / "model.safetensors"
    save_checkpoint(out, found.spec, found.markup, step, None, model, None, extra)
    return out
