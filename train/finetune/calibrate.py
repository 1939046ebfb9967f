"""Scores after a fine-tuning: the base's curve, bent as far as the hold-out is to be believed.

A score is the probability that a point is right (see `fit_calibration`), read from the width of its
heat. Fine-tuning makes heats wider or narrower whatever it does to the points, and what is held out
is often a few frames of one clip: a curve fitted to those alone is chance, and calls half of all
points unsure where the clip is a hard one. So the base's curve, moved to the present widths, counts
as PRIOR objects; the frames that are held out count as the independent ones among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from train.config import FitSpec
from train.data.pictures import DataSet
from train.evaluate.interval import FEWEST_JUDGED, grouped
from train.evaluate.outputs import Outputs, Prior, fit_calibration, predict, torch_runner
from train.loop.checkpoint import load_checkpoint, model_with, save_checkpoint

PRIOR = float(FEWEST_JUDGED)  # objects that the base's curve counts as
SEEN = 256  # objects on which widths are compared, at most
SURE = 0.5  # points scored below are drawn hollow


@dataclass(frozen=True, slots=True)
class Scores:
    """What became of the scores on the objects that were looked at."""

    objects: int  # held out, with landmarks
    groups: int  # of these that count as independent
    hollow_before: float  # share of points below SURE, by the start and its curve
    hollow: float  # by the fine-tuned model and its curve

    @property
    def words(self) -> str:
        """A sentence without its full stop."""
        source = "the base's curve"
        if self.objects:
            source += f" and {self.objects} held-out objects, which count as {self.groups}"
        return (
            f"scores: from {source}; hollow points {100 * self.hollow_before:.0f} -> "
            f"{100 * self.hollow:.0f} %"
        )


def calibrate(start: Path, final: Path, data: DataSet, spec: FitSpec, same: bool) -> Scores | None:
    """Write the curve into `final`; None where nothing can be looked at.

    `same`: the start knew these landmarks, so that its heats can be compared.
    """
    rows = _rows(data)
    if not rows:
        return None
    first, last = load_checkpoint(start), load_checkpoint(final)
    before, after = (model_with(c.part("ema"), spec, data.markup) for c in (first, last))
    curve = (float(before.calibration[0]), float(before.calibration[1]))
    old, new = (predict(torch_runner(m), data, rows, spec) for m in (before, after))
    moved = _log_width(new) - _log_width(old) if same else 0.0
    known = [i for i in range(len(rows)) if data.examples[rows[i]].hold and new.labelled[i].any()]
    groups = 0
    if known:
        groups = int(grouped([data.examples[rows[i]].group for i in known])[0].max()) + 1
    weight = np.zeros(len(rows))
    weight[known] = groups / max(1, len(known))
    prior = Prior(curve[0] + curve[1] * moved, curve[1], PRIOR / len(rows))
    a, b = fit_calibration(new, spec.net.size, weight=weight, prior=prior)
    after.calibration.copy_(torch.tensor([a, b]))
    save_checkpoint(final, last.spec, data.markup, last.step, None, after, None, dict(last.extra))
    hollow = [_hollow(new.spread, spec.net.size, (a, b)), _hollow(old.spread, spec.net.size, curve)]
    return Scores(len(known), groups, hollow[1], hollow[0])


def _rows(data: DataSet) -> list[int]:
    """Objects to compare widths on: what is held out, labelled ones first, else what was learnt."""
    for hold in (True, False):
        rows = [i for i in data.rows(hold=hold) if not data.examples[i].negative]
        labelled = [i for i in rows if data.examples[i].labelled.any()]
        others = [i for i in rows if not data.examples[i].labelled.any()]
        if rows:
            room = max(0, SEEN - len(labelled))
            spread = np.linspace(0, len(others) - 1, min(room, len(others))).round().astype(int)
            return labelled[:SEEN] + [others[i] for i in spread]
    return []


def _log_width(out: Outputs) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(out.spread)
    known = logs[np.isfinite(logs)]
    return float(known.mean()) if known.size else 0.0


def _hollow(spread: NDArray[np.float64], size: int, curve: tuple[float, float]) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = curve[0] - curve[1] * np.log(spread / size)
    known = logit[np.isfinite(logit)]
    return float((known < np.log(SURE / (1 - SURE))).mean()) if known.size else float("nan")
