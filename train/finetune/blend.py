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
from train.loop.checkpoint import load_checkpoint, model_with, save_checkpoint
from train.loop.state import badness

WEIGHTS = (0.0, 0.25, 0.5, 0.75)  # of the end; heads are the end's at 0 as well


End = tuple[int, dict[str, Tensor]]  # a step, and its averaged weights


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

    The end is `final` or, where the hold-out likes a blend of them better, the weights of the last
    step (last.safetensors beside it): these went too far, but often in a better direction than
    those of the best step, which a small hold-out finds early. Scores are still those of the end
    (see calibrate.py). `chosen` None: the best on the hold-out; without labelled landmarks there
    nothing changes.
    """
    rows = data.measured()
    labelled = data.landmarked(hold=True)
    if chosen == 1.0 or (chosen is None and not labelled):
        return 1.0
    first, last = load_checkpoint(start).part("ema"), load_checkpoint(final)
    own, weight = (last.step, last.part("ema")), chosen
    step, end = own
    if weight is None:
        (step, end), weight = _best(first, _ends(final, own), data, spec, rows)
    if weight < 1 or end is not own[1]:
        model = model_with(blended(first, end, weight), spec, data.markup)
        extra = {**last.extra, "blend": weight}
        if labelled:
            outputs = predict(torch_runner(model), data, labelled, spec)
            extra["hold_out"] = summarise(outputs, data, spec)
        save_checkpoint(final, spec, data.markup, step, None, model, None, extra)
    return weight


def _ends(final: Path, best: End) -> list[End]:
    """The weights of `final`, and those of the last step where they are others."""
    beside = final.with_name("last.safetensors")
    if not beside.is_file():
        return [best]
    found = load_checkpoint(beside)
    end = {**found.part("ema"), "calibration": best[1]["calibration"]}
    same = all(torch.equal(v, end[k]) for k, v in best[1].items())
    return [best] if same else [best, (found.step, end)]


def _best(
    first: dict[str, Tensor], ends: Sequence[End], data: DataSet, spec: FitSpec,
    rows: Sequence[int],
) -> tuple[End, float]:  # fmt: skip
    """The end and its weight that the hold-out likes best; of equals the first end, most of it."""
    found = []
    for i, (_, end) in enumerate(ends):
        for w in (*WEIGHTS, 1.0):
            state = end if w == 1.0 else blended(first, end, w)
            found.append((_badness(state, data, spec, rows), i, -w))
    _, i, w = min(found)
    return ends[i], -w


def _badness(state: dict[str, Tensor], data: DataSet, spec: FitSpec, rows: Sequence[int]) -> float:
    model = model_with(state, spec, data.markup)
    return badness(summarise(predict(torch_runner(model), data, rows, spec), data, spec))
