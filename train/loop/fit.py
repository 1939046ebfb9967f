"""The training loop. The order of this file is the order of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tracker.stop import Stopped, stop_on_signal
from tracker.whole_files import drop_dead_parts
from train.config import FitSpec
from train.data.batches import batch_to
from train.data.pictures import DataSet, hide_landmarks, join, read_coco
from train.evaluate.outputs import (
    Outputs,
    fit_calibration,
    operating_points,
    predict,
    summarise,
    torch_runner,
)
from train.loop.ahead import LOST, batches
from train.loop.checkpoint import load_checkpoint, save_checkpoint
from train.loop.deadline import Deadline, last_step
from train.loop.progress import Progress as Progress
from train.loop.progress import ProgressFile
from train.loop.runlog import MetricsLog, metrics_row, write_split
from train.loop.state import (
    Run,
    add_shapes,
    halve_batch,
    note_hold,
    resume_run,
    save_run,
    share_best,
    share_start,
    start_run,
)
from train.loop.step import learning_rate as learning_rate
from train.loop.step import train_step
from train.loop.step import update_ema as update_ema
from train.losses import check_weights
from train.losses.paper import Batch
from train.machine.device import free_memory, is_out_of_memory, pick_device
from train.machine.distributed import agreed, joined, total, wait
from train.machine.ranks import leading

SAME_S = 1.0  # within which a signal reaches all processes that it is sent to


def load_data(spec: FitSpec, root: Path) -> DataSet:
    """Every label file of a spec (paths relative to `root`), with its split and label share."""
    sets = [read_coco(root / f, spec.data.hold_out, spec.seed) for f in spec.data.files]
    if not sets:
        raise ValueError("the config names no label file; set data.files")
    return hide_landmarks(join(sets), spec.data.label_share, spec.seed)


def fit(
    spec: FitSpec,
    root: Path,
    out: Path,
    resume: bool = False,
    init: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    extra: dict[str, Any] | None = None,
    data: DataSet | None = None,
    deadline: Deadline | None = None,
) -> Path:
    """Train, evaluate on the hold-out, calibrate scores; returns the final checkpoint.

    `resume` goes on from out/last.safetensors exactly; `init` starts from another checkpoint's
    averaged weights (layers of another shape keep their fresh values). `data` takes the place of
    the spec's label files. With a `deadline` the spec's steps are a first guess: as many are done
    as leave time for what follows. OUT/progress.json follows the run for whoever watches. Ctrl-C
    and SIGTERM end it after the step, with a checkpoint, by `Stopped`. Under torchrun all
    processes train on parts of each batch and the first alone reports and writes.
    """
    torch.set_num_threads(spec.threads)
    if spec.keep not in ("last", "best"):
        raise ValueError(f"keep takes last or best, found '{spec.keep}'")
    if spec.cycles < 1:
        raise ValueError(f"cycles takes 1 or more, found {spec.cycles}")
    check_weights(spec.loss)
    device = pick_device(spec.device)
    if data is None:
        data = load_data(spec, root)
    else:
        data = hide_landmarks(data, spec.data.label_share, spec.seed)
    out.mkdir(parents=True, exist_ok=True)
    with joined(device):
        run = start_run(spec, data, out, device, init)
        run.notes, run.deadline = extra or {}, deadline
        if leading():
            drop_dead_parts(out)
        if run.last.exists():
            if not resume:
                raise ValueError(
                    f"{run.last} exists; add --resume to go on, or choose another --out"
                )
            resume_run(run)
        share_start(run)
        if init is not None and spec.keep == "best" and run.step == 0 and leading():
            # never ship worse than what it starts from
            note_hold(run, timed_evaluation(run))
        return train(run, report)


def train(run: Run, report: Callable[[Progress], None]) -> Path:
    """From a run's present step to its final checkpoint, telling progress.json how it ends."""
    told = ProgressFile(run.out / "progress.json", run.out.name, active=leading())
    if leading():
        write_split(run.out / "split.json", run.data)
    with told.telling(), stop_on_signal() as stopped, stopping_together(run, stopped):
        for progress in steps(run, stopped):
            told.step(progress)
            if leading():
                report(progress)
        return finish(run)


@contextmanager
def stopping_together(run: Run, stopped: Callable[[], bool]) -> Iterator[None]:
    """`Stopped` where the processes that make batches were told to stop with this one.

    Their end is raised anywhere, also in the middle of an update: nothing is saved after it.
    """
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith(LOST):
            raise
        patience = time.monotonic() + SAME_S
        while not stopped() and time.monotonic() < patience:
            time.sleep(0.01)
        if not stopped():
            raise
        if not run.last.is_file():
            raise Stopped(
                "stopped before the first checkpoint; add --resume to begin again"
            ) from error
        step = load_checkpoint(run.last).step
        raise Stopped(
            f"stopped; the last checkpoint is of step {step} of {run.spec.steps}; "
            "add --resume to go on"
        ) from error


def steps(run: Run, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """The loop itself, one Progress a step; a wish to stop is heard after a step."""
    log = MetricsLog(run.out / "metrics.csv", run.step)
    made = batches(run.data, replace(run.spec, batch=run.batch), run.step)
    speed, message, clock = 0.0, add_shapes(run), time.perf_counter()
    while not run.ended:
        keep_to_deadline(run)
        count, terms = try_step(run, made)
        if terms is None:
            message = halve_batch(run, count)
            made = batches(run.data, replace(run.spec, batch=run.batch), run.step)
            continue
        rate = count / (time.perf_counter() - clock)
        speed = rate if speed == 0 else 0.95 * speed + 0.05 * rate
        hold, steps = after_step(run, terms, log), run.spec.steps
        eta = (steps - run.step) * count / speed
        message = message or early_sentence(run)
        spent = math.nan if run.deadline is None else run.deadline.all_spent_s
        clock = time.perf_counter()
        yield Progress(run.step, steps, terms["loss"], terms, speed, hold, eta, message, spent)
        message = ""
        if not run.ended and agreed(stopped(), run.device):
            save_run(run)
            raise Stopped(f"stopped at step {run.step} of {steps}; add --resume to go on")


def keep_to_deadline(run: Run) -> None:
    """Set the number of steps anew by the clock of the first process; all have the same."""
    if run.deadline is None:
        return
    run.deadline.stepped()
    spec = run.spec
    steps = last_step(run.deadline, run.step, spec.steps, spec.evaluate_every)
    shared = int(total(torch.tensor(steps if leading() else 0, device=run.device)))
    if shared != spec.steps:
        run.spec = replace(spec, steps=shared)


def try_step(run: Run, made: Iterator[tuple[int, Batch]]) -> tuple[int, dict[str, float] | None]:
    """How many pictures a step had, and the terms of its update: None where memory ran out (and
    nothing was updated).
    """
    count = run.batch
    try:
        count, batch = next(made)
        return count, train_step(run, batch_to(batch, run.device))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    return count, None


def after_step(run: Run, terms: dict[str, float], log: MetricsLog) -> dict[str, Any] | None:
    """Average, log, evaluate and keep, each on its steps; the evaluation where there was one."""
    spec, hold = run.spec, None
    update_ema(run.ema, run.model, spec.ema, run.step)
    run.running.add(terms)
    run.step += 1
    last = run.step == spec.steps
    if run.step % spec.evaluate_every == 0 or last:
        if leading():
            hold = timed_evaluation(run)
            log.add(metrics_row(run.step, run.running.take_mean(), hold))
            note_hold(run, hold)
        share_best(run)
    if run.step % spec.checkpoint_every == 0 or last or run.ended:
        save_run(run)
    return hold


def early_sentence(run: Run) -> str:
    """Why a run ends before its last step, or nothing."""
    if not run.ended or run.step >= run.spec.steps:
        return ""
    return (
        f"ended early: nothing was better on the hold-out than step {run.best.step} "
        f"in {run.best.since} evaluations"
    )


def predict_held(run: Run, rows: list[int]) -> Outputs:
    """The averaged weights' outputs on these rows, in batches that fit into memory."""
    run.ema.eval()
    size = 64
    while True:
        try:
            return predict(torch_runner(run.ema), run.data, rows, run.spec, size)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        if size == 1:
            raise ValueError("memory ran out on evaluating a single picture; set a smaller net")
        size //= 2
        free_memory(run.device)


def evaluate_hold_out(run: Run) -> dict[str, Any] | None:
    """The summary on what can be measured of the hold-out; None where nothing can."""
    rows = run.data.measured()
    return summarise(predict_held(run, rows), run.data, run.spec) if rows else None


def timed_evaluation(run: Run) -> dict[str, Any] | None:
    """The same, and a deadline is told how long it took."""
    if run.deadline is None:
        return evaluate_hold_out(run)
    begun = run.deadline.clock()
    hold = evaluate_hold_out(run)
    run.deadline.evaluated(run.deadline.clock() - begun)
    return hold


def best_localiser(best: dict[str, Tensor], end: dict[str, Tensor]) -> dict[str, Tensor]:
    """The best localiser with the attribute heads of the end.

    Heads read landmarks, whichever localiser finds them, and learn all the time: the best one may
    be from before they had learnt anything.
    """
    return {k: end[k] if k.startswith("heads.") else v for k, v in best.items()}


def gesture_points(out: Outputs, spec: FitSpec) -> dict[str, float]:
    """Operating points of the gestures on the hold-out, where the spec asks for them."""
    for head in spec.heads:
        if head.attribute.name == "gesture" and spec.shown_at:
            truth, guess = out.truth["gesture"], out.attributes["gesture"]
            classes, read = head.attribute.classes, out.is_read
            return operating_points(truth, guess, classes, spec.shown_at, read)
    return {}


def finish(run: Run) -> Path:
    """Calibrate the scores on the hold-out and write the weights that are exported."""
    final, step = run.out / "model.safetensors", run.step
    if leading():
        if run.spec.keep == "best" and run.best_path.is_file():
            kept = load_checkpoint(run.best_path)
            weights = kept.part("ema")
            if run.spec.late_heads:
                weights = best_localiser(weights, run.ema.state_dict())
            run.ema.load_state_dict(weights)
            step = kept.step
        rows = run.data.landmarked(hold=True)
        found = dict(run.notes)
        if rows:
            outputs = predict_held(run, rows)
            a, b = fit_calibration(outputs, run.spec.net.size)
            run.ema.calibration.copy_(torch.tensor([a, b]))
            found["hold_out"] = summarise(outputs, run.data, run.spec)
            score = run.ema.score(torch.from_numpy(outputs.spread)).numpy()
            found["operating_points"] = gesture_points(replace(outputs, score=score), run.spec)
        save_checkpoint(final, run.spec, run.data.markup, step, None, run.ema, None, found)
    wait()
    return final
