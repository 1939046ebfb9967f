"""A run at one moment: all that changes while it trains, and how it is kept and put back."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from train.config import FitSpec
from train.data.pictures import DataSet
from train.loop.checkpoint import (
    build_model,
    load_checkpoint,
    restore_optimiser,
    save_checkpoint,
)
from train.loop.deadline import Deadline
from train.loop.muon import Muon, normed_convolutions
from train.loop.runlog import Running
from train.loop.warm_start import carry_over
from train.losses import needed
from train.losses.plausible_shapes import ShapeSpace, training_space
from train.machine.device import free_memory
from train.machine.distributed import same_start, spread_norms, together, total
from train.machine.ranks import leading
from train.networks.model import LandmarkNet


@dataclass(slots=True, eq=False)
class Best:
    """The best evaluation so far (see `badness`), and how many have passed without a better."""

    badness: float = math.inf
    step: int = 0
    since: int = 0


@dataclass(slots=True, eq=False)
class Run:
    """Everything that a checkpoint holds, and what it was made from."""

    spec: FitSpec
    data: DataSet
    out: Path
    device: torch.device
    model: LandmarkNet
    ema: LandmarkNet
    optimiser: torch.optim.Optimizer
    notes: Mapping[str, Any]  # licence, data: kept in every checkpoint
    step: int = 0
    batch: int = 0  # pictures a step; below the spec's where memory ran out
    running: Running = field(default_factory=lambda: Running({}, 0))
    best: Best = field(default_factory=Best)
    shapes: ShapeSpace | None = None  # what is plausible; None: not asked for, or too few labels
    deadline: Deadline | None = None  # None: as many steps as the spec says

    @property
    def last(self) -> Path:
        """The checkpoint that a resume goes on from."""
        return self.out / "last.safetensors"

    @property
    def best_path(self) -> Path:
        """The averaged weights of the best evaluation."""
        return self.out / "best.safetensors"

    @property
    def ended(self) -> bool:
        """No step is left, or patience has run out."""
        patience = self.spec.patience
        return self.step >= self.spec.steps or (patience > 0 and self.best.since >= patience)


def start_run(
    spec: FitSpec, data: DataSet, out: Path, device: torch.device, init: Path | None
) -> Run:
    """Fresh weights, or those of `init` where they fit."""
    torch.manual_seed(spec.seed)
    model = build_model(spec, data.markup)
    if init is not None:
        carry_over(model, data.markup, load_checkpoint(init))
    if spec.freeze:
        model.net.requires_grad_(False)
        model.presence.requires_grad_(False)
    model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    ema = copy.deepcopy(model)
    spread_norms(model, device)
    optimiser = build_optimiser(model, spec)
    return Run(spec, data, out, device, model, ema, optimiser, {}, batch=spec.batch)


def build_optimiser(model: LandmarkNet, spec: FitSpec) -> torch.optim.Optimizer:
    """Adam, ADADELTA as in RCN's code, or Muon; ValueError for another name."""
    if spec.optimiser == "adam":
        return torch.optim.Adam(model.parameters(), spec.lr, eps=spec.epsilon)
    if spec.optimiser == "adadelta":
        return torch.optim.Adadelta(model.parameters(), spec.lr, rho=0.95, eps=1e-8)
    if spec.optimiser == "muon":
        turned = normed_convolutions(model)
        ids = {id(p) for p in turned}
        others = [p for p in model.parameters() if id(p) not in ids]
        return Muon(turned, others, spec.lr, spec.muon)
    raise ValueError(f"optimiser takes adam, adadelta or muon, found '{spec.optimiser}'")


def add_shapes(run: Run) -> str:
    """Learn what is plausible from the labels, where the loss wants it; a sentence if it cannot."""
    if "shapes" not in needed(run.spec.loss):
        return ""
    space, why = training_space(run.data, run.spec.augment.flip)
    if space is not None:
        run.shapes = ShapeSpace(space.mean.to(run.device), space.basis.to(run.device))
    return why


def resume_run(run: Run) -> None:
    """Put a run back to its last checkpoint, exactly; another device or thread count may differ."""
    found, last = load_checkpoint(run.last), run.last
    own = run.spec
    same = replace(found.spec, device=own.device, threads=own.threads, shown_at=own.shown_at)
    if run.deadline is not None:  # the clock decides how many steps there are
        run.spec = replace(own, steps=found.spec.steps)
    if same != run.spec:
        raise ValueError(
            f"{last} was made with another config; resume with the same one or choose another --out"
        )
    if found.markup.landmarks != run.data.markup.landmarks:
        raise ValueError(f"{last} has other landmarks than the data")
    weights = found.part("model")
    if not weights:
        raise ValueError(
            f"{last} holds averaged weights alone, which cannot be gone on from; give it as --init"
        )
    run.model.load_state_dict(weights)
    run.ema.load_state_dict(found.part("ema"))
    restore_optimiser(run.optimiser, found.part("optimiser"))
    running = found.extra.get("running", {"sums": {}, "count": 0})
    run.running = Running(dict(running["sums"]), int(running["count"]))
    run.batch = int(found.extra.get("batch", run.spec.batch))
    best = found.extra.get("best")
    if best is not None:
        run.best = Best(float(best["badness"]), int(best["step"]), int(best["since"]))
    run.step = found.step


def share_start(run: Run) -> None:
    """All processes start from the first one's weights."""
    same_start(run.model, run.step, run.device)
    same_start(run.ema, run.step, run.device)


def save_run(run: Run) -> None:
    """Write out/last.safetensors."""
    if not leading():
        return
    more: dict[str, Any] = dict(run.notes)
    more["running"] = {"sums": run.running.sums, "count": run.running.count}
    more["batch"] = run.batch
    if math.isfinite(run.best.badness):
        more["best"] = {"badness": run.best.badness, "step": run.best.step, "since": run.best.since}
    spec, markup = run.spec, run.data.markup
    save_checkpoint(run.last, spec, markup, run.step, run.model, run.ema, run.optimiser, more)


def badness(hold: Mapping[str, Any] | None) -> float:
    """What 'best' means: NME (%), plus 0.1 for each per cent of wrong classes on average.

    Infinite where neither is known. With landmarks alone it is the NME.
    """
    if hold is None:
        return math.inf
    right = [float(a["accuracy"]) for a in hold["attributes"].values() if "accuracy" in a]
    wrong = 100 * (1 - sum(right) / len(right)) if right else 0.0
    nme = float(hold["nme"])
    if not math.isfinite(nme):
        return 0.1 * wrong if right else math.inf
    return nme + 0.1 * wrong


def note_hold(run: Run, hold: Mapping[str, Any] | None) -> None:
    """Keep the averaged weights of a better evaluation; count those that are not better."""
    found = badness(hold)
    if hold is None or not math.isfinite(found):
        return
    if found >= run.best.badness:
        run.best.since += 1
        return
    run.best = Best(found, run.step)
    if run.spec.patience or run.spec.keep == "best":
        more = {**run.notes, "hold_out": dict(hold)}
        save_checkpoint(
            run.best_path, run.spec, run.data.markup, run.step, None, run.ema, None, more
        )


def share_best(run: Run) -> None:
    """All processes learn from the first, which evaluates, how long nothing got better."""
    since = torch.tensor(run.best.since if leading() else 0, device=run.device)
    run.best.since = int(total(since))


def halve_batch(run: Run, pictures: int) -> str:
    """After memory ran out on a batch of `pictures`: go on with half of it; says so."""
    if together():
        raise ValueError(
            f"memory ran out with {pictures} pictures in a batch of several processes; "
            "set a smaller batch"
        )
    if pictures <= 1:
        raise ValueError(
            "memory ran out with a single picture in a batch; set a smaller net.size or net.widths"
        )
    run.optimiser.zero_grad(set_to_none=True)
    free_memory(run.device)
    run.batch = pictures // 2
    return f"memory ran out: from step {run.step} on a batch has {run.batch} pictures"
