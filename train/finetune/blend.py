"""Between the weights a run started from and those it ended with lies often something better.

Fine-tuning on few clips gains on what they show and forgets some of what the base knew; a point on
the line between both keeps most of either (Wortsman et al., Robust fine-tuning, CVPR 2022). The
hold-out says which point.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from train.config import FitSpec
from train.data.pictures import DataSet
from train.evaluate.outputs import predict, summarise, torch_runner
from train.loop.checkpoint import build_model, load_checkpoint, save_checkpoint
from train.loop.state import badness

WEIGHTS = (0.0, 0.25, 0.5, 0.75)  # of the end; heads are the end's at 0 as well


def blended(start: dict[str, Tensor], end: dict[str, Tensor], weight: float) -> dict[str, Tensor]:
    """The localiser on the line from start (0) to end (1); attribute heads as at the end."""
    return {
        k: torch.lerp(start[k], v, weight)
        if k.startswith(("net.", "presence.")) and v.is_floating_point()
        else v
        for k, v in end.items()
    }


def blend(
    start: Path, final: Path, data: DataSet, spec: FitSpec, chosen: float | None = None
) -> float:
    """Put a blend in the place of `final`; returns its weight (1: the end as it was).

    Scores are still those of the end (see calibrate.py).

    `chosen` None: the best on the hold-out; without labelled landmarks there nothing changes.
    """
    rows = [i for i in data.rows(hold=True) if not data.examples[i].negative]
    labelled = [i for i in rows if data.examples[i].labelled.any()]
    if chosen == 1.0 or (chosen is None and not labelled):
        return 1.0
    first, last = load_checkpoint(start).part("ema"), load_checkpoint(final)
    weight = chosen or _best(first, last.part("ema"), data, spec, rows)
    if weight < 1:
        model = build_model(spec, data.markup)
        model.load_state_dict(blended(first, last.part("ema"), weight))
        model.eval()
        extra = {**last.extra, "blend": weight}
        if labelled:
            outputs = predict(torch_runner(model), data, labelled, spec)
            extra["hold_out"] = summarise(outputs, data, spec)
        save_checkpoint(final, spec, data.markup, last.step, None, model, None, extra)
    return weight


def _best(
    first: dict[str, Tensor], last: dict[str, Tensor], data: DataSet, spec: FitSpec,
    rows: Sequence[int],
) -> float:  # fmt: skip
    found = {w: _badness(blended(first, last, w), data, spec, rows) for w in WEIGHTS}
    found[1.0] = _badness(last, data, spec, rows)
    return min(found, key=lambda w: (found[w], -w))


def _badness(state: dict[str, Tensor], data: DataSet, spec: FitSpec, rows: Sequence[int]) -> float:
    model = build_model(spec, data.markup)
    model.load_state_dict(state)
    model.eval()
    return badness(summarise(predict(torch_runner(model), data, rows, spec), data, spec))
