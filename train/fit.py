"""The training loop. The order of this file is the order of a run."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from train.batches import make_batch, step_rows
from train.checkpoint import (
    build_model,
    load_checkpoint,
    restore_optimiser,
    save_checkpoint,
)
from train.config import FitSpec
from train.data import DataSet, hide_landmarks, join, read_coco
from train.evaluate import fit_calibration, predict, summarise, torch_runner
from train.losses import Batch, composite, elt_rows, warp_image
from train.model import LandmarkNet, Prediction
from train.progress import Progress as Progress
from train.progress import ProgressFile
from train.runlog import MetricsLog, Running, metrics_row, write_split


def load_data(spec: FitSpec, root: Path) -> DataSet:
    """Every label file of a spec (paths relative to `root`), with its split and label share."""
    sets = [read_coco(root / f, spec.data.hold_out, spec.seed) for f in spec.data.files]
    if not sets:
        raise ValueError("the config names no label file; set data.files")
    return hide_landmarks(join(sets), spec.data.label_share, spec.seed)


def learning_rate(spec: FitSpec, step: int) -> float:
    """Linear warm-up, then a cosine to 1 % of the top rate."""
    if step < spec.warmup:
        return spec.lr * (step + 1) / spec.warmup
    done = (step - spec.warmup) / max(1, spec.steps - spec.warmup)
    return spec.lr * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * min(done, 1.0)))))


def update_ema(ema: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the model; early on faster, so it never lags a fresh start."""
    keep = min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for a, b in zip(ema.state_dict().values(), model.state_dict().values(), strict=True):
            if a.dtype.is_floating_point:
                a.lerp_(b, 1 - keep)
            else:
                a.copy_(b)


def forward(
    model: LandmarkNet, batch: Batch, spec: FitSpec
) -> tuple[Prediction, Prediction | None]:
    """The batch's prediction and, where the ELT is on, that of the warped images."""
    layout = torch.channels_last
    rows = elt_rows(batch, spec.loss) if spec.loss.alpha else torch.zeros(0)
    image = batch.image
    if len(rows):
        image = torch.cat([image, warp_image(image[rows], batch.warp[rows])])
    image = ((image - model.mean) / model.std).contiguous(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16, enabled=spec.precision == "bf16"):
        heat, coarse = model.net(image)
    n = len(batch.image)
    out = model.finish(heat[:n], coarse[:n])
    return out, model.finish(heat[n:], coarse[n:]) if len(rows) else None


def train_step(
    model: LandmarkNet, optimiser: torch.optim.Optimizer, batch: Batch, spec: FitSpec, step: int
) -> dict[str, float]:
    """One update; the weighted terms of the loss as numbers."""
    torch.manual_seed(spec.seed * 1_000_003 + step)  # dropout: nothing but (seed, step)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(spec, step)
    out, warped = forward(model, batch, spec)
    terms = composite(model, batch, out, warped, spec.loss)
    loss = torch.stack(list(terms.values())).sum()
    if not torch.isfinite(loss):
        raise FloatingPointError(
            f"the loss became {loss.item()} at step {step}; lower lr or resume from the checkpoint"
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    optimiser.step()
    return {k: float(v.detach()) for k, v in terms.items()} | {"loss": float(loss.detach())}


def evaluate_hold_out(ema: LandmarkNet, data: DataSet, spec: FitSpec) -> dict[str, Any] | None:
    """The summary on the hold-out's real objects; None when nothing is held out."""
    rows = [i for i in data.rows(hold=True) if not data.examples[i].negative]
    if not rows:
        return None
    ema.eval()
    return summarise(predict(torch_runner(ema), data, rows, spec), data, spec)


def fit(
    spec: FitSpec,
    root: Path,
    out: Path,
    resume: bool = False,
    init: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    extra: dict[str, Any] | None = None,
    data: DataSet | None = None,
) -> Path:
    """Train, evaluate on the hold-out, calibrate scores; returns the final checkpoint.

    `resume` goes on from out/last.safetensors exactly; `init` starts from another checkpoint's
    averaged weights (layers of another shape keep their fresh values). `data` takes the place of
    the spec's label files. OUT/progress.json follows the run for whoever watches.
    """
    torch.set_num_threads(spec.threads)
    if data is None:
        data = load_data(spec, root)
    else:
        data = hide_landmarks(data, spec.data.label_share, spec.seed)
    out.mkdir(parents=True, exist_ok=True)
    last = out / "last.safetensors"
    if last.exists() and not resume:
        raise ValueError(f"{last} exists; add --resume to go on, or choose another --out")
    torch.manual_seed(spec.seed)
    model = build_model(spec, data.markup)
    if init is not None:
        warm_start(model, init)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = copy.deepcopy(model)
    optimiser = torch.optim.Adam(model.parameters(), spec.lr)
    start, running = 0, Running({}, 0)
    if resume and last.exists():
        start, running = restore(last, spec, data, model, ema, optimiser)
    log = MetricsLog(out / "metrics.csv", start)
    write_split(out / "split.json", data)
    told = ProgressFile(out / "progress.json", out.name)
    try:
        for progress in steps(spec, data, model, ema, optimiser, start, running, log, last, extra):
            told.step(progress)
            report(progress)
        final = finish(spec, data, model, ema, out, extra)
    except BaseException as error:
        told.end("failed", str(error) or type(error).__name__)
        raise
    told.end("done")
    return final


def restore(
    last: Path, spec: FitSpec, data: DataSet, model: nn.Module, ema: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> tuple[int, Running]:  # fmt: skip
    """Put a run back to its last checkpoint; returns the step it goes on from, and its sums."""
    found = load_checkpoint(last)
    if found.spec != spec:
        raise ValueError(
            f"{last} was made with another config; resume with the same one or choose another --out"
        )
    if found.markup.landmarks != data.markup.landmarks:
        raise ValueError(f"{last} has other landmarks than the data")
    model.load_state_dict(found.part("model"))
    ema.load_state_dict(found.part("ema"))
    restore_optimiser(optimiser, found.part("optimiser"))
    running = found.extra.get("running", {"sums": {}, "count": 0})
    return found.step, Running(dict(running["sums"]), int(running["count"]))


def warm_start(model: LandmarkNet, init: Path) -> list[str]:
    """Copy every tensor that fits in name and shape; returns the names that stay fresh."""
    source = load_checkpoint(init).part("ema")
    own = model.state_dict()
    fits = {k: v for k, v in source.items() if k in own and own[k].shape == v.shape}
    if not fits:
        raise ValueError(f"{init} shares no layer with this network")
    model.load_state_dict(own | fits)
    return [k for k in own if k not in fits]


def steps(
    spec: FitSpec, data: DataSet, model: LandmarkNet, ema: LandmarkNet,
    optimiser: torch.optim.Optimizer, start: int, running: Running, log: MetricsLog, last: Path,
    extra: dict[str, Any] | None,
) -> Iterator[Progress]:  # fmt: skip
    """The loop itself, one Progress a step, with checkpoints and evaluations on their steps."""
    speed, clock = 0.0, time.perf_counter()
    for step, rows in step_rows(data, spec, start):
        if step >= spec.steps:
            return
        model.train()
        batch = make_batch(data, rows, spec, np.random.default_rng([spec.seed, 3, step]))
        terms = train_step(model, optimiser, batch, spec, step)
        update_ema(ema, model, spec.ema, step)
        running.add(terms)
        now = time.perf_counter()
        rate = len(rows) / (now - clock)
        speed = rate if speed == 0 else 0.95 * speed + 0.05 * rate
        done, hold = step + 1, None
        if done % spec.evaluate_every == 0 or done == spec.steps:
            hold = evaluate_hold_out(ema, data, spec)
            log.add(metrics_row(done, running.take_mean(), hold))
        if done % spec.checkpoint_every == 0 or done == spec.steps:
            more = {**(extra or {}), "running": {"sums": running.sums, "count": running.count}}
            save_checkpoint(last, spec, data.markup, done, model, ema, optimiser, more)
        clock = time.perf_counter()
        eta = (spec.steps - done) * len(rows) / speed if speed else math.nan
        yield Progress(done, spec.steps, terms["loss"], terms, speed, hold, eta)


def finish(
    spec: FitSpec, data: DataSet, model: LandmarkNet, ema: LandmarkNet, out: Path,
    extra: dict[str, Any] | None,
) -> Path:  # fmt: skip
    """Calibrate the scores on the hold-out and write the checkpoint that is exported."""
    ema.eval()
    rows = [i for i in data.rows(hold=True) if data.examples[i].labelled.any()]
    found = dict(extra or {})
    if rows:
        outputs = predict(torch_runner(ema), data, rows, spec)
        a, b = fit_calibration(outputs, spec.net.size)
        ema.calibration.copy_(torch.tensor([a, b]))
        found["hold_out"] = summarise(outputs, data, spec)
    final = out / "model.safetensors"
    save_checkpoint(final, spec, data.markup, spec.steps, model, ema, None, found)
    return final
