"""Errors of a model on labelled pictures: the numbers, without any drawing.

The crops are made from the true landmarks, unmoved and unturned but for the upright rule, as in
the paper; errors are in crop pixels over the normaliser in crop pixels, so sizes cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tracker.follow.gesture import TRUSTED
from train.config import FitSpec
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.evaluate import metrics
from train.losses.paper import Batch
from train.networks.model import LandmarkNet, attribute_values


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Predictions beside the truth for N examples, crop pixels; NaN or -1: not labelled."""

    rows: NDArray[np.int64]
    xy: NDArray[np.float64]  # (N, K, 2)
    score: NDArray[np.float64]  # (N, K)
    spread: NDArray[np.float64]  # (N, K) crop pixels; NaN where the model does not tell
    presence: NDArray[np.float64]  # (N,)
    attributes: dict[str, NDArray[np.float64]]
    target: NDArray[np.float64]  # (N, K, 2)
    labelled: NDArray[np.bool_]  # (N, K)
    truth: dict[str, NDArray[Any]]

    @property
    def is_read(self) -> NDArray[np.bool_]:
        """(N,) Does the tracker read a gesture from landmarks of these scores?"""
        return is_read(self.score.mean(1))


def is_read(score: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Does the tracker read a gesture from landmarks whose mean score (N,) is this?"""
    return score >= TRUSTED


Runner = Callable[[Batch], dict[str, NDArray[np.float64]]]


def torch_runner(model: LandmarkNet) -> Runner:
    """Run a torch model on a batch; outputs as the exported graph names them, plus `spread`."""

    def run(batch: Batch) -> dict[str, NDArray[np.float64]]:
        with torch.inference_mode():
            device = model.mean.device
            up = None if batch.up is None else batch.up.to(device)
            out = model(batch.image.to(device), up)
            found = {
                "xy": out.xy,
                "spread": out.spread,
                "score": model.score(out.spread),
                "presence": out.presence.sigmoid(),
            }
            for head in model.specs:
                name = head.attribute.name
                found[name] = attribute_values(head, out.attributes[name])
            return {k: v.cpu().double().numpy() for k, v in found.items()}

    return run


def counted(run: Runner, told: Callable[[int], object]) -> Runner:
    """The same, and `told` gets how many pictures it has seen after each batch."""
    done = 0

    def count(batch: Batch) -> dict[str, NDArray[np.float64]]:
        nonlocal done
        found = run(batch)
        done += len(batch.image)
        told(done)
        return found

    return count


def predict(
    run: Runner, data: DataSet, rows: Sequence[int], spec: FitSpec, batch: int = 64
) -> Outputs:
    """Run a model over examples (no augmentation) and line up the truth."""
    parts: list[dict[str, Any]] = []
    for at in range(0, len(rows), batch):
        made = make_batch(data, rows[at : at + batch], spec, None)
        found = run(made)
        parts.append(
            {**found, "_xy": made.xy.double().numpy(), "_mask": made.labelled.numpy(),
             **{f"_{k}": v.numpy() for k, v in made.attributes.items()}}
        )  # fmt: skip
    whole = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
    names = [h.attribute.name for h in spec.heads]
    return Outputs(
        np.array(rows), whole["xy"], whole["score"],
        whole.get("spread", np.full(whole["score"].shape, np.nan)), whole["presence"],
        {n: whole[n] for n in names}, whole["_xy"], whole["_mask"],
        {n: whole[f"_{n}"] for n in names},
    )  # fmt: skip


def nme_of(out: Outputs, pair: Sequence[int]) -> NDArray[np.float64]:
    """NME (N,) of each example in %, by the distance of `pair` or, where that is empty, by the box.

    NaN where nothing is labelled that could be compared, or not the pair.
    """
    errors = metrics.point_errors(out.xy, out.target, out.labelled)
    return metrics.nme_per_image(errors, metrics.normalisers(out.target, out.labelled, pair))


def attribute_summary(out: Outputs, spec: FitSpec) -> dict[str, Any]:
    """Accuracy and confusion of class attributes, mean absolute error of regressions."""
    summary: dict[str, Any] = {}
    for head in spec.heads:
        name, classes = head.attribute.name, head.attribute.classes
        truth, guess = out.truth[name], out.attributes[name]
        if classes:
            known = truth >= 0
            if known.any():
                right = guess.argmax(1)[known] == truth[known]
                table = metrics.confusion(truth, guess.argmax(1), len(classes))
                summary[name] = {
                    "accuracy": float(right.mean()),
                    "count": int(known.sum()),
                    "classes": list(classes),
                    "confusion": table.tolist(),
                }
        else:
            known = np.isfinite(truth).any(1)
            if known.any():
                error = np.abs(guess - truth)[known]
                if name == "xyz":
                    error = shape_errors(guess[known], truth[known])[:, None]
                if name == "pose":
                    error[:, 2] = np.abs((error[:, 2] + 180) % 360 - 180)
                summary[name] = {
                    "mean_abs_error": [float(np.nanmean(e)) for e in error.T],
                    "mean": float(np.nanmean(error)),
                    "count": int(known.sum()),
                }
    return summary


FEWEST_SHOWN = 8  # examples of a class without which its operating point would be chance,
FEWEST_TOLD = 4  # and of those that must reach it: a point of one lucky example hides the class


def operating_points(
    truth: NDArray[np.int64], guess: NDArray[np.float64], classes: Sequence[str], precision: float,
    read: NDArray[np.bool_] | None = None,
) -> dict[str, float]:  # fmt: skip
    """The lowest probability of each class but 'none' from which it is right this often.

    truth (N,) -1 where unknown, guess (N, C) probabilities; read (N,): others show nothing,
    whatever is guessed (`is_read`). A class is shown where it is the likeliest and reaches its
    point. Classes that are precise enough at none, or where fewer than FEWEST_TOLD are told, and
    those of fewer than FEWEST_SHOWN known examples, have no point.
    """
    known, points = (truth >= 0) & (True if read is None else read), {}
    for i, name in enumerate(classes):
        if name == "none" or (truth == i).sum() < FEWEST_SHOWN:
            continue
        told = known & (guess.argmax(1) == i)
        order = np.flatnonzero(told)[np.argsort(-guess[told, i], kind="stable")]
        right = truth[order] == i
        good = np.flatnonzero(np.cumsum(right) >= precision * np.arange(1, len(right) + 1))
        if len(good) and good[-1] + 1 >= FEWEST_TOLD:
            points[name] = float(np.floor(1000 * guess[order[good[-1]], i]) / 1000)
    return points


def shown(
    truth: NDArray[np.int64], guess: NDArray[np.float64], classes: Sequence[str],
    points: Mapping[str, float], read: NDArray[np.bool_] | None = None,
) -> dict[str, tuple[float, float, int]]:  # fmt: skip
    """Recall, precision (NaN: never shown) and known examples of each class at its point; `read` as
    in `operating_points`.
    """
    known, found = (truth >= 0) & (True if read is None else read), {}
    for i, name in enumerate(classes):
        if name in points:
            seen = known & (guess.argmax(1) == i) & (guess[:, i] >= points[name])
            of, right = int((truth == i).sum()), int((truth[seen] == i).sum())
            share = right / int(seen.sum()) if seen.any() else float("nan")
            found[name] = (right / of if of else float("nan"), share, of)
    return found


def shape_errors(guess: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean distance (N,) of points in space, each shape (N, 3 K) freed of its mean place."""
    a, b = guess.reshape(len(guess), -1, 3), truth.reshape(len(truth), -1, 3)
    apart = (a - a.mean(1, keepdims=True)) - (b - b.mean(1, keepdims=True))
    return np.asarray(np.linalg.norm(apart, axis=2).mean(1), np.float64)


def nme_by_quality(each: NDArray[np.float64], data: DataSet, out: Outputs) -> dict[str, float]:
    """Mean NME (%) of each quality of labels; empty where there is but one."""
    qualities = np.array([data.examples[i].quality for i in out.rows])
    names = sorted(set(qualities[np.isfinite(each)]))
    if len(names) < 2:
        return {}
    return {str(n): float(np.nanmean(each[qualities == n])) for n in names}


def check_pair(pair: Sequence[int], count: int) -> None:
    """ValueError where a normaliser is neither empty nor two of `count` landmarks."""
    fits = len(pair) == 2 and pair[0] != pair[1] and all(0 <= i < count for i in pair)
    if pair and not fits:
        raise ValueError(
            f"the normaliser takes two different landmark indices from 0 to {count - 1}, "
            f"found {','.join(str(i) for i in pair)}; choose two of these, or none for the box"
        )


def summarise(out: Outputs, data: DataSet, spec: FitSpec) -> dict[str, Any]:
    """NME (%), PCK, AUC, per-landmark NME and attributes of predictions, as plain data."""
    check_pair(spec.data.normaliser, len(data.markup.landmarks))
    errors = metrics.point_errors(out.xy, out.target, out.labelled)
    pair = tuple(spec.data.normaliser)
    lengths = metrics.normalisers(out.target, out.labelled, pair)
    each = metrics.nme_per_image(errors, lengths)
    with np.errstate(invalid="ignore"):
        relative = 100 * errors / lengths[:, None]
    limit, known = 10.0, each[np.isfinite(each)]
    per_point = [float(np.nanmean(c)) if np.isfinite(c).any() else float("nan") for c in relative.T]
    names = data.markup.landmarks
    by = (
        f"distance {names[pair[0]]} to {names[pair[1]]}"
        if pair
        else "longer side of the points' box"
    )
    return {
        "images": int(np.isfinite(each).sum()),
        "normaliser": by,
        "nme": metrics.nme(errors, lengths),
        "pck@0.1": metrics.pck(errors, lengths, 0.1),
        "pck@0.2": metrics.pck(errors, lengths, 0.2),
        f"auc@{limit:g}%": metrics.auc(each, limit),
        "failures>10%": float((known > 10).mean()) if len(known) else float("nan"),
        "nme_by_quality": nme_by_quality(each, data, out),
        "per_landmark_nme": dict(zip(names, per_point, strict=True)),
        "attributes": attribute_summary(out, spec),
    }


@dataclass(frozen=True, slots=True)
class Prior:
    """A curve that is believed before anything is measured, and how much."""

    a: float
    b: float
    weight: float  # of each point: what the curve says of it counts as so much of a measurement


def right_points(out: Outputs, within: float = 0.05) -> NDArray[np.float64]:
    """(N, K) 1 where a point is within so much of the points' box of its label, else 0; NaN where
    that is not known.
    """
    errors = metrics.point_errors(out.xy, out.target, out.labelled)
    lengths = metrics.normalisers(out.target, out.labelled)[:, None]
    right = (errors <= within * lengths).astype(np.float64)
    return np.where(np.isfinite(errors) & np.isfinite(lengths), right, np.nan)


def fit_calibration(
    out: Outputs,
    size: int,
    within: float = 0.05,
    weight: NDArray[np.float64] | None = None,
    prior: Prior | None = None,
) -> tuple[float, float]:
    """a, b of score = sigmoid(a - b log(spread / size)): P(error <= within x points' box).

    Logistic regression by Newton steps on labelled points, weighted by object where `weight` (N,)
    says so; with a `prior`, on what that says of every point as well. Falls back to (-6, 2) without
    a prior and without points.
    """
    each = right_points(out, within)
    told = np.isfinite(out.spread) & (out.spread > 0)  # a network without heat tells no spread
    known = np.isfinite(each) & told
    if prior is None and known.sum() < 50:
        return -6.0, 2.0
    right = each[known]
    x = -np.log(out.spread[known] / size)
    counts = np.ones_like(x) if weight is None else np.repeat(weight, known.sum(1))
    if prior is not None:
        believed = -np.log(out.spread[told] / size)
        said = 1 / (1 + np.exp(-np.clip(prior.a + prior.b * believed, -30, 30)))
        x, right = np.concatenate([x, believed]), np.concatenate([right, said])
        counts = np.concatenate([counts, np.full(len(believed), prior.weight)])
    return _logistic(x, right, counts, prior) if len(x) else (-6.0, 2.0)


def _logistic(
    x: NDArray[np.float64],
    right: NDArray[np.float64],
    counts: NDArray[np.float64],
    prior: Prior | None,
) -> tuple[float, float]:
    """a, b of P = sigmoid(a + b x) for shares `right` in [0, 1] that count `counts` each.

    What x does not tell (it may be nearly the same everywhere) stays as in the prior; without, 0.
    """
    middle = x.mean()  # freed of it, both weights are nearly independent; else the steps swing
    design = np.column_stack([np.ones_like(x), x - middle])
    usual = np.zeros(2) if prior is None else np.array([prior.a + prior.b * middle, prior.b])
    w = usual.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ w, -30, 30)))
        hessian = design.T @ (design * (counts * p * (1 - p))[:, None]) + 1e-3 * np.eye(2)
        step = np.linalg.solve(hessian, design.T @ (counts * (right - p)) - 1e-3 * (w - usual))
        w += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    return float(w[0] - w[1] * middle), float(w[1])
