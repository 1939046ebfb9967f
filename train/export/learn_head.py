"""`train head`: what a head says is learnt on after a training, the network staying as it is.

A head that reads landmarks is small, and what it sees of a crop no longer changes once the network
is finished. So every training crop is looked at a few times, moved and disturbed as in a training,
and what was seen is learnt from many times more than a training's steps would allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tracker.progress import Report, silent
from train.config import FitSpec
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.evaluate.outputs import is_read, operating_points
from train.evaluate.report import labels_for
from train.loop.checkpoint import load_model, prepare_output, save_checkpoint
from train.losses.paper import Batch, attribute_loss
from train.networks.model import Head, LandmarkNet, Prediction, attribute_values

AT_ONCE, BATCH, EPOCHS, RATE = 64, 256, 40, 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class SeenByHead:
    """What a head sees of N crops (each (N, ...)), and what it is to say of them (N, ...)."""

    inputs: tuple[Tensor, ...]
    target: Tensor
    score: Tensor  # (N,) mean of the landmarks'


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
    object, 0: the head stays. Where the training chose operating points of its gestures
    (`shown_at`), they are chosen anew on the hold-out. ValueError for labels of other landmarks or
    without the attribute, for operating points without a hold-out, and for a head that does not
    exist or reads heat or the picture alone; UserError when `out` cannot be written or is one of
    the files.
    """
    prepare_output(out, source, *files)
    model, found = load_model(source)
    spec = found.spec
    head = head_called(spec, name)
    data = labels_for(source, found.markup.landmarks, files, spec.data.hold_out, spec.seed)
    pointed = name == "gesture" and spec.shown_at > 0
    learnt, held = rows_to_learn(data, name, pointed)
    steps = max(1, EPOCHS * views * len(learnt) // BATCH) if views else 0
    count = Counted(report, views * len(learnt) + len(held) + steps)
    seen = [seen_by(model, head, looks(model, data, learnt, spec, v), count) for v in range(views)]
    fresh = seen_by(model, head, looks(model, data, held, spec), count) if held else None
    layers = model.heads[name]
    before = None if fresh is None else error_of(head, layers, fresh)
    if seen:
        learn(head, layers, together(seen), steps, spec.seed, count)
    after = None if fresh is None else error_of(head, layers, fresh)
    result = LearntOn(name, views * len(learnt), before, after)
    extra = {**found.extra, "heads_learnt_on": asdict(result)}
    if name == "gesture":
        extra.pop("operating_points", None)  # they were the old head's
    if pointed and fresh is not None:
        extra["operating_points"] = points_of(head, layers, fresh, spec.shown_at)
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


class Counted:
    """Adds up what several loops have done, of a total that is known before."""

    def __init__(self, report: Report, total: int) -> None:
        self._report, self._total, self._done = report, total, 0

    def add(self, done: int) -> None:
        """So much more."""
        self._done += done
        self._report(self._done, self._total)


def rows_to_learn(data: DataSet, name: str, pointed: bool) -> tuple[list[int], list[int]]:
    """As `rows_with`; ValueError where none is to learn from, or none held out is `pointed`'s."""
    learnt, held = rows_with(data, name)
    if not learnt:
        raise ValueError(f"no training picture says its {name}; give the files that it learnt from")
    if pointed and not held:
        raise ValueError(
            f"no held-out picture says its {name}, and operating points are chosen on those; give "
            "the files with their split, as the training had them"
        )
    return learnt, held


def rows_with(data: DataSet, name: str) -> tuple[list[int], list[int]]:
    """Rows of objects whose labels tell an attribute: those to learn from, those held out."""
    known = [
        i for i, e in enumerate(data.examples)
        if not e.negative and e.attributes.get(name) is not None
    ]  # fmt: skip
    held = [i for i in known if data.examples[i].hold]
    return [i for i in known if not data.examples[i].hold], held


def looks(
    model: LandmarkNet, data: DataSet, rows: Sequence[int], spec: FitSpec, view: int | None = None
) -> Iterator[tuple[Batch, Prediction]]:
    """What the network says of these rows' crops, some at a time: disturbed as in a training, by
    the view's number, or, without one, exactly as the tracker's.
    """
    model.eval()
    for at in range(0, len(rows), AT_ONCE):
        some = rows[at : at + AT_ONCE]
        rng = None if view is None else [np.random.default_rng([view, i]) for i in some]
        batch = make_batch(data, some, spec, rng)
        with torch.no_grad():
            yield batch, model(batch.image, batch.up)


def seen_by(
    model: LandmarkNet, head: Head, looked: Iterator[tuple[Batch, Prediction]], count: Counted
) -> SeenByHead:
    """What a head sees in these looks."""
    parts: list[SeenByHead] = []
    for batch, out in looked:
        target = batch.attributes[head.attribute.name]
        score = model.score(out.spread).mean(1)
        parts.append(SeenByHead(inputs_of(head, batch, out), target, score))
        count.add(len(target))
    return together(parts)


def inputs_of(head: Head, batch: Batch, out: Prediction) -> tuple[Tensor, ...]:
    """What its layers take, as in `LandmarkNet.finish`."""
    more = (out.pooled if head.source == "both" else None, batch.up if head.up else None)
    return (out.xy, *(each for each in more if each is not None))


def together(parts: Sequence[SeenByHead]) -> SeenByHead:
    """All of them, one after the other."""
    inputs = zip(*(part.inputs for part in parts), strict=True)
    targets, scores = ([p.target for p in parts], [p.score for p in parts])
    return SeenByHead(tuple(map(torch.cat, inputs)), torch.cat(targets), torch.cat(scores))


def learn(
    head: Head, layers: nn.Module, seen: SeenByHead, steps: int, seed: int, count: Counted,
    highest: float = RATE,
) -> None:  # fmt: skip
    """Steps to the loss of a training. Rows and dropout depend on the seed alone."""
    torch.manual_seed(seed)

    def loss() -> Tensor:
        rows = torch.randint(len(seen.target), (min(BATCH, len(seen.target)),))
        said = layers(*(each[rows] for each in seen.inputs))
        return attribute_loss(head, said, seen.target[rows])

    for _ in descend(layers, loss, steps, highest):
        count.add(1)


def descend(
    layers: nn.Module, loss_of: Callable[[], Tensor], steps: int, highest: float = RATE,
    decay: float = 0.02,
) -> Iterator[int]:  # fmt: skip
    """Adam with decay; the rate rises to `highest` and falls, once. Tells each step, from 1."""
    layers.train()
    optimiser = torch.optim.AdamW(layers.parameters(), highest, weight_decay=decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, highest, total_steps=steps + 1)
    for step in range(1, steps + 1):
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        rate.step()
        yield step
    layers.eval()


def said_by(head: Head, layers: nn.Module, seen: SeenByHead) -> Tensor:
    """What a user sees of its answers (N, ...)."""
    with torch.no_grad():
        return attribute_values(head, layers.eval()(*seen.inputs))


def points_of(
    head: Head, layers: nn.Module, held: SeenByHead, precision: float
) -> dict[str, float]:
    """The operating points of a head of classes, as a training's end chooses them."""
    said = said_by(head, layers, held).double().numpy()
    read = is_read(held.score.double().numpy())
    return operating_points(held.target.numpy(), said, head.attribute.classes, precision, read)


def error_of(head: Head, layers: nn.Module, seen: SeenByHead) -> float:
    """Mean absolute error of all values that are known, or the share of wrong classes."""
    said = said_by(head, layers, seen)
    if head.attribute.classes:
        return float((said.argmax(1) != seen.target).double().mean())
    return float((said - seen.target).abs().nanmean())
