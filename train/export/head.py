"""`train head`: what a head says is learnt on after a training, the network staying as it is.

A head that reads landmarks is small, and what it sees of a crop no longer changes once the network
is finished. So every training crop is looked at a few times, moved and disturbed as in a training,
and what was seen is learnt from many times more than a training's steps would allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tracker.progress import Report, silent
from train.config import FitSpec
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.evaluate.report import labels_for
from train.loop.checkpoint import load_model, prepare_output, save_checkpoint
from train.losses.paper import attribute_loss
from train.networks.model import Head, LandmarkNet, attribute_values

AT_ONCE, BATCH, EPOCHS, RATE = 64, 256, 40, 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class SeenByHead:
    """What a head sees of N crops (each (N, ...)), and what it is to say of them (N, D)."""

    inputs: tuple[Tensor, ...]
    target: Tensor


@dataclass(frozen=True, slots=True)
class LearntOn:
    """What became of a head: on the hold-out the mean absolute error of its values, or the share of
    classes told wrongly; None without one.
    """

    name: str
    crops: int  # looked at
    before: float | None
    after: float | None


def learn_head(
    source: Path, files: Sequence[Path], name: str, views: int, out: Path,
    report: Report = silent,
) -> LearntOn:  # fmt: skip
    """Write a checkpoint's averaged weights with one head's learnt on, by the loss of a training.

    files: COCO keypoints files as the training had, with their split; `views`: looks at each
    object. ValueError for labels of other landmarks or without the attribute, and for a head that
    does not exist, has operating points (they would no longer hold) or reads heat or the picture
    alone; UserError when `out` cannot be written or is one of the files.
    """
    prepare_output(out, source, *files)
    model, found = load_model(source)
    spec = found.spec
    head = head_called(spec, name)
    if name == "gesture" and found.extra.get("operating_points"):
        raise ValueError(
            f"the operating points of '{name}' would no longer hold; go on with train fit --init, "
            "which chooses them anew"
        )
    data = labels_for(source, found.markup.landmarks, files, spec.data.hold_out, spec.seed)
    known = [
        i for i, e in enumerate(data.examples)
        if not e.negative and e.attributes.get(name) is not None
    ]  # fmt: skip
    learnt = [i for i in known if not data.examples[i].hold]
    held = [i for i in known if data.examples[i].hold]
    if not learnt:
        raise ValueError(f"no training picture says its {name}; give the files that it learnt from")
    steps = max(1, EPOCHS * views * len(learnt) // BATCH)
    total = views * len(learnt) + len(held) + steps
    asked = _Asked(model, head, data, spec)
    crops, done = [], 0
    for view in range(views):
        crops.append(asked.look(learnt, view, report, (done, total)))
        done += len(learnt)
    fresh = asked.look(held, None, report, (done, total)) if held else None
    before = None if fresh is None else asked.error(fresh)
    _learn(asked, crops, steps, report, total)
    after = None if fresh is None else asked.error(fresh)
    result = LearntOn(name, views * len(learnt), before, after)
    extra = {**found.extra, "heads_learnt_on": asdict(result)}
    save_checkpoint(out, spec, found.markup, found.step, None, model, None, extra)
    return result


def head_called(spec: FitSpec, name: str) -> Head:
    """The head of that name, if it can learn on; ValueError says why it cannot."""
    heads = {head.attribute.name: head for head in spec.heads}
    if name not in heads:
        there = ", ".join(heads) or "none"
        raise ValueError(f"the network has no head '{name}'; its heads are {there}")
    head = heads[name]
    if head.source not in ("landmarks", "both"):
        raise ValueError(f"'{name}' reads {head.source}; only heads that read landmarks learn on")
    return head


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A network, one of its heads, and pictures to ask it about."""

    model: LandmarkNet
    head: Head
    data: DataSet
    spec: FitSpec

    def look(
        self, rows: Sequence[int], view: int | None, report: Report, progress: tuple[int, int]
    ) -> SeenByHead:
        """What the head sees of these rows' crops: disturbed as in a training, by the view's
        number, or, without one, exactly as the tracker's.
        """
        self.model.eval()
        parts: list[tuple[Tensor, ...]] = []
        for at in range(0, len(rows), AT_ONCE):
            some = rows[at : at + AT_ONCE]
            rng = None if view is None else [np.random.default_rng([view, i]) for i in some]
            batch = make_batch(self.data, some, self.spec, rng)
            with torch.inference_mode():
                out = self.model(batch.image, batch.up)
            seen = (out.xy, *((out.pooled,) if self.head.source == "both" else ()))
            seen += (batch.up,) if self.head.up else ()
            parts.append((*seen, batch.attributes[self.head.attribute.name]))
            report(progress[0] + min(at + AT_ONCE, len(rows)), progress[1])
        *inputs, target = (torch.cat(each).clone() for each in zip(*parts, strict=True))
        return SeenByHead(tuple(inputs), target)

    def error(self, seen: SeenByHead) -> float:
        """Mean absolute error of all values that are known, or the share of wrong classes."""
        layers = self.model.heads[self.head.attribute.name].eval()
        with torch.no_grad():
            said = attribute_values(self.head, layers(*seen.inputs))
        if self.head.attribute.classes:
            return float((said.argmax(1) != seen.target).double().mean())
        return float((said - seen.target).abs().nanmean())


def _learn(
    asked: _Asked, crops: Sequence[SeenByHead], steps: int, report: Report, total: int
) -> None:
    """Adam with decay; the rate rises and falls once. Order and dropout depend on nothing else."""
    inputs = [torch.cat(each) for each in zip(*(c.inputs for c in crops), strict=True)]
    target = torch.cat([c.target for c in crops])
    layers = asked.model.heads[asked.head.attribute.name]
    layers.train()
    torch.manual_seed(asked.spec.seed)
    optimiser = torch.optim.AdamW(layers.parameters(), RATE, weight_decay=0.02)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1)
    for step in range(1, steps + 1):
        rows = torch.randint(len(target), (min(BATCH, len(target)),))
        loss = attribute_loss(asked.head, layers(*(i[rows] for i in inputs)), target[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        rate.step()
        report(total - steps + step, total)
    layers.eval()
