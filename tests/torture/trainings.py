"""kill -9 of trainings, and resume: bit for bit the weights of one that was left alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from safetensors.numpy import load_file

from tests.helpers.blobs import write_blobs, write_config
from tests.helpers.clips import picture
from tests.helpers.teaching import label, new_project, with_clip
from tests.torture.rows import Row, Say, aside, dice, killed
from train.config import read_config
from train.finetune.choices import Budget
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Wish, plan_run, resume_plan, unfinished
from train.loop.fit import fit
from train.loop.progress import Progress
from train.project.layout import open_project
from train.project.store import Store

PROMISE = "resumed, the weights are the same bit for bit"
STEPS = 12  # of a fine-tuning
LAST = Progress(1 << 30, 1 << 30, 0.0, {}, 0.0, None)  # of a run that was at its end already


def same(one: Path, two: Path) -> bool:
    """Whether two files hold the same tensors; their notes may differ."""
    a, b = load_file(one), load_file(two)
    return a.keys() == b.keys() and all(a[k].tobytes() == b[k].tobytes() for k in a)


def until_done(run: Callable[[int], Callable[[Say], None]], steps: int, dice: Random) -> int:
    """Kill it twice on its way, a moment after a step, and let it end; how often it was killed.

    `run(step)` says "ready" at that step, 0: as it starts, or at its end. So it is killed in every
    part of its way, however slow the machine is just then.
    """
    kills = 0
    for step in (dice.randrange(steps + 1), dice.randrange(steps + 1)):
        _, was_killed = killed(run(step), lambda: dice.uniform(0.0, 0.5))
        kills += was_killed
    killed(run(0), lambda: 3600.0)
    return kills


def ready_at(say: Say, step: int) -> Callable[[Progress], None]:
    """Says so once that step is done, or at once."""
    told = [] if step else [say("ready")]

    def look(progress: Progress) -> None:
        if not told and progress.step >= step:
            told.append(say("ready"))

    return look


def fits(count: int, folder: Path) -> Row:
    """`train fit --resume`."""
    row, random = Row("train fit: kill -9, --resume", PROMISE), dice(5)
    aside(lambda _: write_blobs(folder / "blobs") and None)
    spec = read_config(write_config(folder / "blobs", steps=60, more=""))

    def run(name: str, step: int) -> Callable[[Say], None]:
        def work(say: Say) -> None:
            told = ready_at(say, step)
            fit(spec, folder / "blobs", folder / name, True, None, told)
            told(LAST)

        return work

    killed(run("whole", 0), lambda: 3600)
    for number in range(count):
        name = f"cut{number}"
        row.count("kills", until_done(partial(run, name), 60, random))
        row.tried += 1
        if not same(folder / "whole/model.safetensors", folder / name / "model.safetensors"):
            row.wrong.append(f"run {number} has other weights")
    return row


def finetunes(count: int, folder: Path) -> Row:
    """`train finetune`, then a bare `--resume`, which must take all from run.json."""
    row, random = Row("train finetune: kill -9, bare --resume", PROMISE), dice(6)

    def project(name: str) -> Path:
        aside(lambda _: build(name))
        return folder / name

    def build(name: str) -> None:
        made = new_project(folder / name)
        for clip, frames in (("a.mp4", 12), ("b.mp4", 14)):
            with_clip(made, clip, frames)
        with Store.open(made) as store:
            for frame in range(0, 12, 2):
                for x, clip in ((20.0 + frame, "a.mp4"), (60.0 - frame, "b.mp4")):
                    store.keep_picture(clip, frame, picture(frame))
                    store.set_frame(label(frame, x, clip))

    def run(root: Path, step: int) -> Callable[[Say], None]:
        def work(say: Say) -> None:
            told = ready_at(say, step)
            begun = (root / "models" / "run" / "run.json").is_file()
            wish = Wish(budget=Budget(steps=STEPS), threads=1, seed=7, name="run")
            hooks = Hooks(step=told)
            if not begun:
                run_plan(plan_run(root, wish, hooks), hooks)
            elif unfinished(open_project(root)):  # else it was killed when all was done
                run_plan(resume_plan(root, Wish(), hooks), hooks)
            told(LAST)

        return work

    whole = project("whole")
    killed(run(whole, 0), lambda: 3600)
    for number in range(count):
        root = project(f"cut{number}")
        row.count("kills", until_done(partial(run, root), STEPS, random))
        row.tried += 1
        final = Path("models/run/model.safetensors")
        if not same(whole / final, root / final):
            row.wrong.append(f"run {number} has other weights")
    return row
