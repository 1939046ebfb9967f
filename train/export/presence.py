"""`train presence`: where presence says yes, moved after a training.

A training weighs every crop alike, so a logit of 0 is not where objects part from what is none. The
limit is chosen on the training's pictures: a stated share of the objects stays, in crops that are
moved as the training moves them, and as few wrong crops as possible pass. Wrong are near misses
(beside the object, a part of it, twice too large or small, upside down: `near_miss`) and squares of
pictures without one. Nothing is covered, darkened or blurred: what a training makes hard to see
would set the limit for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tracker.progress import Report, silent
from train.config import AugmentSpec, FitSpec
from train.data.pictures import DataSet
from train.evaluate.outputs import Runner, torch_runner
from train.evaluate.report import labels_for
from train.loop.ahead import batches
from train.loop.checkpoint import load_model, prepare_output, save_checkpoint

BATCH, STEPS = 64, 32  # half of each batch are wrong crops


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """What presence is the sigmoid of."""

    objects: NDArray[np.float64]  # (N,)
    wrong: NDArray[np.float64]  # (M,)

    def shares(self, limit: float) -> Shares:
        """What a limit keeps and lets pass."""
        kept, passed = (float(np.mean(each >= limit)) for each in (self.objects, self.wrong))
        return Shares(len(self.objects), kept, len(self.wrong), passed)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares in [0, 1] of crops whose presence is 0.5 or more."""

    objects: int
    kept: float  # of these
    wrong: int
    passed: float  # of these

    @property
    def words(self) -> str:
        """A sentence without its full stop."""
        return (
            f"{100 * self.kept:.2f} % of {self.objects} objects stay, "
            f"{100 * self.passed:.2f} % of {self.wrong} wrong crops pass"
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of presence."""

    by: float  # of the bias, in units of the logit
    before: Shares  # on the training's pictures
    after: Shares
    held_before: Shares | None  # on those held out, which the limit was not chosen on
    held_after: Shares | None


def move_presence(
    source: Path, files: Sequence[Path], kept: float, out: Path, report: Report = silent
) -> Moved:
    """Write a checkpoint's averaged weights with the bias of presence moved to its limit.

    files: COCO keypoints files as the training had, with their split. ValueError for labels of
    other landmarks, a network that never learnt presence, or where it tells nothing; UserError
    when `out` cannot be written or is one of the files.
    """
    if not 0 < kept <= 1:
        raise ValueError(f"the share of objects that stays lies in (0, 1], found {kept:g}")
    prepare_output(out, source, *files)
    model, found = load_model(source)
    spec = found.spec
    if not spec.loss.presence:
        raise ValueError(
            f"{source} was trained without presence; set loss.presence and train again"
        )
    names = found.markup.landmarks
    data = labels_for(source, names, files, spec.data.hold_out, spec.seed)
    run = torch_runner(model)
    learnt = presence_logits(run, data, spec, report)
    limit = choose_limit(learnt, kept)
    held: tuple[Shares, Shares] | tuple[None, None] = (None, None)
    if any(e.hold and not e.negative for e in data.examples):
        seen = presence_logits(run, exchanged(data), spec, report)
        held = seen.shares(0.0), seen.shares(limit)
    with torch.no_grad():
        model.presence.bias.sub_(limit)
    moved = Moved(-limit, learnt.shares(0.0), learnt.shares(limit), *held)
    extra: dict[str, Any] = {**found.extra, "presence": asdict(moved)}
    save_checkpoint(out, spec, found.markup, found.step, None, model, None, extra)
    return moved


def choose_limit(seen: Logits, kept: float) -> float:
    """The logit from which on crops are to pass.

    At least `kept` of the objects reach it, and no limit that keeps as many lets fewer wrong crops
    pass; it lies in the middle between the last object that stays and the next wrong crop below.
    ValueError where all wrong crops pass at any such limit.
    """
    lost = int((1 - kept) * len(seen.objects) + 1e-9)
    last = float(np.sort(seen.objects)[lost])
    below = seen.wrong[seen.wrong < last]
    if not below.size:
        raise ValueError(
            f"no limit that keeps {100 * kept:g} % of the objects refuses a single wrong crop; "
            "train presence for longer, or keep fewer objects"
        )
    return (last + float(below.max())) / 2


def presence_logits(run: Runner, data: DataSet, spec: FitSpec, report: Report = silent) -> Logits:
    """Of the training pictures' crops, moved as the spec says, and of wrong ones of all kinds."""
    trained = {e.quality for e in data.examples if not e.hold and not e.negative}
    shares = {name: share for name, share in spec.data.shares.items() if name in trained}
    part = replace(spec.data, shares=shares, negatives=0.5, near_misses=0.5, wrong=True)
    spec = replace(spec, data=part, augment=moves_of(spec.augment), batch=BATCH, workers=0)
    logits, present = [], []
    for done, (_, batch) in enumerate(islice(batches(data, spec, 0), STEPS), start=1):
        p = np.clip(run(batch)["presence"].ravel(), 1e-9, 1 - 1e-9)
        logits.append(np.log(p / (1 - p)))
        present.append(batch.present.numpy() > 0)
        report(done, STEPS)
    found, objects = np.concatenate(logits), np.concatenate(present)
    return Logits(found[objects], found[~objects])


def moves_of(augment: AugmentSpec) -> AugmentSpec:
    """What moves a crop, without what disturbs it."""
    return AugmentSpec(
        augment.rotate, augment.scale, augment.shift, augment.flip, colour=0.0, blur=0.0,
        occlude=0.0, background=augment.background, no_up=augment.no_up,
    )  # fmt: skip


def exchanged(data: DataSet) -> DataSet:
    """The same with the hold-out in place of the training pictures."""
    examples = tuple(replace(e, hold=not e.hold) for e in data.examples)
    return DataSet(data.markup, examples, data.cache)
