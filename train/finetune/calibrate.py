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
from train.evaluate.outputs import (
    Outputs,
    Prior,
    fit_calibration,
    predict,
    right_points,
    torch_runner,
)
from train.loop.checkpoint import load_checkpoint, model_with, save_checkpoint

PRIOR = float(FEWEST_JUDGED)  # objects that the base's curve counts as
SEEN = 256  # objects on which widths are compared, at most
SURE = 0.5  # points scored below are drawn hollow

Curve = tuple[float, float]  # a, b of score = sigmoid(a - b log(spread / crop side))


@dataclass(frozen=True, slots=True)
class Scores:
    """What became of the scores on the objects that were looked at.

    A start whose curve is too sure of these objects calls too few of its points unsure; what the
    hold-out then takes back is no loss of the training. So both are told by a curve that the same
    objects have bent alike, and what the start's own says beside it.
    """

    objects: int  # held out, with landmarks
    groups: int  # of these that count as independent
    hollow_shown: float  # share of points below SURE, by the start and its own curve
    hollow_before: float  # by the start and a curve that was bent as that of the fine-tuned model
    hollow: float  # by the fine-tuned model and its curve
    expected: float = float("nan")  # mean score of held-out points, by the start and its own curve
    right: float = float("nan")  # share of these that are right

    @property
    def words(self) -> str:
        """A sentence without its full stop."""
        source = "the base's curve"
        if self.objects:
            source += f" and {self.objects} held-out objects, which count as {self.groups}"
        shown, before, now = (
            f"{100 * v:.0f}" for v in (self.hollow_shown, self.hollow_before, self.hollow)
        )
        told = f"scores: from {source}; hollow points {before} -> {now} %"
        if shown != before and np.isfinite(self.right):
            told += (
                f" ({shown} % by the base's own curve, which expects {100 * self.expected:.0f} % "
                f"of its held-out points to be right; {100 * self.right:.0f} % are)"
            )
        return told


def calibrate(start: Path, final: Path, data: DataSet, spec: FitSpec, same: bool) -> Scores | None:
    """Write the curve into `final`; None where nothing can be looked at.

    `same`: the start knew these landmarks, so that its heats can be compared.
    """
    rows = compared_rows(data)
    if not rows:
        return None
    first, last = load_checkpoint(start), load_checkpoint(final)
    before, after = (model_with(c.part("ema"), spec, data.markup) for c in (first, last))
    curve = (float(before.calibration[0]), float(before.calibration[1]))
    old, new = (predict(torch_runner(m), data, rows, spec) for m in (before, after))
    known = [i for i in range(len(rows)) if data.examples[rows[i]].hold and new.labelled[i].any()]
    groups = 0
    if known:
        groups = int(grouped([data.examples[rows[i]].group for i in known])[0].max()) + 1
    weight = np.zeros(len(rows))
    weight[known] = groups / max(1, len(known))
    believed = moved(curve, old, new) if same else curve
    size = spec.net.size
    alike, ab = bent(old, curve, weight, size), bent(new, believed, weight, size)
    after.calibration.copy_(torch.tensor(ab))
    save_checkpoint(final, last.spec, data.markup, last.step, None, after, None, dict(last.extra))
    shown, alike_share = hollow_share(old, curve, size), hollow_share(old, alike, size)
    expected, right = _expected(old, curve, weight, size)
    return Scores(
        len(known), groups, shown, alike_share, hollow_share(new, ab, size), expected, right
    )


def moved(curve: Curve, old: Outputs, new: Outputs) -> Curve:
    """A curve of the widths of `old` for those of `new`, on the same objects."""
    return curve[0] + curve[1] * (_log_width(new) - _log_width(old)), curve[1]


def bent(
    out: Outputs, curve: Curve, weight: NDArray[np.float64], size: int, prior: float = PRIOR
) -> Curve:
    """The curve, which counts as `prior` objects, bent by labelled ones that count `weight` (N,)
    each; it is believed at the widths of all objects of `out`.
    """
    return fit_calibration(
        out, size, weight=weight, prior=Prior(curve[0], curve[1], prior / len(out.rows))
    )


def scores_of(out: Outputs, curve: Curve, size: int) -> NDArray[np.float64]:
    """Probability (N, K) that each point is right; NaN where no width is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = curve[0] - curve[1] * np.log(out.spread / size)
    logit[~np.isfinite(logit)] = np.nan
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))), np.float64)


def hollow_share(out: Outputs, curve: Curve, size: int) -> float:
    """Share of points that are drawn hollow; NaN without any."""
    scores = scores_of(out, curve, size)
    known = scores[np.isfinite(scores)]
    return float((known < SURE).mean()) if known.size else float("nan")


def _expected(
    out: Outputs, curve: Curve, weight: NDArray[np.float64], size: int
) -> tuple[float, float]:
    """Mean score, and the share that is right, of the labelled points of objects with a weight."""
    right, scores = right_points(out), scores_of(out, curve, size)
    known = np.isfinite(right) & np.isfinite(scores) & (weight > 0)[:, None]
    if not known.any():
        return float("nan"), float("nan")
    return float(scores[known].mean()), float(right[known].mean())


def compared_rows(data: DataSet) -> list[int]:
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
