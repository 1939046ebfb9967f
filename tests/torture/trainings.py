"""kill -9 of trainings, and resume: bit for bit the weights of one that was left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from safetensors.numpy import load_file

from tests.helpers.blobs import write_blobs, write_config
from tests.helpers.clips import picture
from tests.helpers.teaching import label, new_project, with_clip
from tests.torture.rows import Row, Say, aside, dice, killed
from train.config import read_config
from train.finetune.choices import Budget
from train.finetune.finetune import run_plan
from train.finetune.plan import Hooks, Wish, plan_run, resume_plan
from train.loop.fit import fit
from train.project.store import Store

PROMISE = "resumed, the weights are the same bit for bit"


def same(one: Path, two: Path) -> bool:
    """Whether two files hold the same tensors; their notes may differ."""
    a, b = load_file(one), load_file(two)
    return a.keys() == b.keys() and all(a[k].tobytes() == b[k].tobytes() for k in a)


def until_done(work: Callable[[Say], None], seconds: float, share: Callable[[], float]) -> int:
    """Kill it once or twice on its way, then let it end; how often it was killed."""
    kills = 0
    for most in (seconds * share(), seconds * share(), 3600.0):
        _, was_killed = killed(work, lambda most=most: most)  # type: ignore[misc]
        kills += was_killed
        if not was_killed:
            break
    return kills


def fits(count: int, folder: Path) -> Row:
    """`train fit --resume`."""
    row, random = Row("train fit: kill -9, --resume", PROMISE), dice(5)
    aside(lambda _: write_blobs(folder / "blobs") and None)
    spec = read_config(write_config(folder / "blobs", steps=60, more=""))

    def run(name: str) -> Callable[[Say], None]:
        def work(say: Say) -> None:
            say("ready")
            fit(spec, folder / "blobs", folder / name, resume=True)

        return work

    begun = time.monotonic()
    killed(run("whole"), lambda: 3600)
    seconds = time.monotonic() - begun
    for number in range(count):
        row.count(
            "kills", until_done(run(f"cut{number}"), seconds, lambda: random.uniform(0.05, 0.6))
        )
        row.tried += 1
        if not same(folder / "whole/model.safetensors", folder / f"cut{number}/model.safetensors"):
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

    def run(root: Path) -> Callable[[Say], None]:
        def work(say: Say) -> None:
            say("ready")
            begun = (root / "models" / "run" / "run.json").is_file()
            wish = Wish(budget=Budget(steps=12), threads=1, seed=7, name="run")
            plan = resume_plan(root, Wish(), Hooks()) if begun else plan_run(root, wish, Hooks())
            run_plan(plan, Hooks())

        return work

    begun, whole = time.monotonic(), project("whole")
    killed(run(whole), lambda: 3600)
    seconds = time.monotonic() - begun
    for number in range(count):
        root = project(f"cut{number}")
        row.count("kills", until_done(run(root), seconds, lambda: random.uniform(0.1, 0.7)))
        row.tried += 1
        final = Path("models/run/model.safetensors")
        if not same(whole / final, root / final):
            row.wrong.append(f"run {number} has other weights")
    return row
