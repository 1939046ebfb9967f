"""Why are more points hollow after a fine-tuning whose error falls? Ways to calibrate, compared.

    python -m docs.studies.labels.tour_scores runs/tour/project

The project is that of `tour_gain`, with its finished runs; nothing is trained. For each run the
start's and the tuned weights answer the objects that `train finetune` calibrates on. A way makes a
curve of a half of the held-out objects (whole stretches of the clip, drawn at random), and the
other half tells how far its scores are from the truth: the expected calibration error (ten bins of
as many points) and the log loss. Hollow shares are of all objects, with the curve of all that are
labelled. `isotone` is no curve that a model could hold: it shows what the widths can tell at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from tracker.whole_files import write_table
from train.config import spec_from_dict
from train.data.from_project import read_split
from train.evaluate.interval import grouped
from train.evaluate.outputs import Outputs, predict, right_points, torch_runner
from train.finetune.calibrate import SURE, Curve, bent, compared_rows, moved, scores_of
from train.finetune.plan import Hooks, Wish, facts_of, gather
from train.loop.checkpoint import load_checkpoint, model_with
from train.project.journal import read_labels
from train.project.layout import Project, open_project

Array = NDArray[np.float64]
HALVES, BINS, RESAMPLES = 100, 10, 200


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A run: answers of the start and of what became of it, on the same objects."""

    old: Outputs
    new: Outputs
    curve: Curve  # of the start
    groups: NDArray[np.int64]  # (N,) stretch of each held-out object with labels; -1: not labelled
    size: int


def case_of(project: Project, name: str) -> Case:
    """The answers of a finished run's two networks."""
    out = project.models_dir / name
    spec = spec_from_dict(facts_of(out)["spec"])
    split = read_split(project)
    assert split is not None
    wish = Wish(
        threads=1, device="cpu", before=0.0
    )  # followed by the bundled model, as tour_gain's
    data, _, _ = gather(project, read_labels(project), split, wish, Hooks())
    rows = compared_rows(data)
    nets = [
        model_with(load_checkpoint(out / f"{part}.safetensors").part("ema"), spec, data.markup)
        for part in ("start", "model")
    ]
    old, new = (predict(torch_runner(net), data, rows, spec) for net in nets)
    known = np.flatnonzero(new.labelled.any(1))
    groups = np.full(len(rows), -1)
    groups[known] = grouped([data.examples[rows[i]].group for i in known])[0]
    curve = float(nets[0].calibration[0]), float(nets[0].calibration[1])
    return Case(old, new, curve, groups, spec.net.size)


def weights(case: Case, used: NDArray[np.bool_]) -> Array:
    """(N,) what each object counts: as many as there are stretches, as `calibrate` has it."""
    return np.where(used, len(set(case.groups[used])) / max(1, used.sum()), 0.0)


def as_now(case: Case, used: NDArray[np.bool_], prior: float = 20.0) -> Curve:
    """The base's curve, moved to the new widths, counts as 20 objects."""
    believed = moved(case.curve, case.old, case.new)
    return bent(case.new, believed, weights(case, used), case.size, prior)


def shifted(case: Case, used: NDArray[np.bool_]) -> Curve:
    """The base's slope; its height such that the mean score is that of `as_now`."""
    goal = float(np.nanmean(scores_of(case.new, as_now(case, used), case.size)))
    low, high, b = case.curve[0] - 5, case.curve[0] + 5, case.curve[1]
    for _ in range(40):
        a = (low + high) / 2
        less = float(np.nanmean(scores_of(case.new, (a, b), case.size))) < goal
        low, high = (a, high) if less else (low, a)
    return (low + high) / 2, b


def unless_shown(case: Case, used: NDArray[np.bool_]) -> Curve:
    """`as_now` where its log loss is shown to be smaller than that of the moved base's curve (95 %
    interval over stretches), else that.
    """
    believed, ours = moved(case.curve, case.old, case.new), as_now(case, used)
    right = right_points(case.new)
    losses = [log_losses(scores_of(case.new, c, case.size), right) for c in (believed, ours)]
    names = sorted(set(case.groups[used]))
    gains = np.array([(losses[0] - losses[1])[case.groups == g].mean() for g in names])
    drawn = np.random.default_rng(0).integers(0, len(gains), (RESAMPLES, len(gains)))
    return ours if np.percentile(gains[drawn].mean(1), 2.5) > 0 else believed


def by_quantiles(case: Case, used: NDArray[np.bool_]) -> Curve:
    """The base's curve for widths that are scaled so that middle and quarters are as before."""
    old, new = (np.log(o.spread[o.spread > 0]) for o in (case.old, case.new))
    (a0, m0, b0), (a1, m1, b1) = (np.percentile(v, [25, 50, 75]) for v in (old, new))
    slope = (b0 - a0) / (b1 - a1)  # old = m0 + slope (new - m1)
    side = np.log(case.size)
    a, b = case.curve
    return a - b * (m0 - slope * m1 + (slope - 1) * side), b * slope


WAYS: Mapping[str, Callable[[Case, NDArray[np.bool_]], Curve]] = {
    "the base's curve": lambda case, _: case.curve,
    "moved to the new widths": lambda case, _: moved(case.curve, case.old, case.new),
    "moved, middle and quarters": by_quantiles,
    "moved, and bent (as now)": as_now,
    "the base counts as 60": lambda case, used: as_now(case, used, 60.0),
    "the base counts as 5": lambda case, used: as_now(case, used, 5.0),
    "height alone": shifted,
    "as now where shown, else moved": unless_shown,
    "the hold-out alone": lambda case, used: as_now(case, used, 1e-6),
}


def log_losses(scores: Array, right: Array) -> Array:
    """(N, K); NaN where nothing is known."""
    p = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.asarray(-np.where(right > 0, np.log(p), np.log(1 - p)) + 0 * right, np.float64)


def calibration_error(scores: Array, right: Array) -> float:
    """Mean distance of score and share of right points over BINS bins of as many points."""
    bins = np.array_split(np.argsort(scores, kind="stable"), BINS)
    return float(sum(abs(scores[i].sum() - right[i].sum()) for i in bins) / len(scores))


def isotone(x: Array, right: Array, at: Array) -> Array:
    """Shares that never fall as x grows (pooled neighbours), read at other places."""
    order = np.argsort(x, kind="stable")
    blocks: list[list[float]] = []
    for value in right[order]:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    shares = np.repeat([b[0] for b in blocks], [int(b[1]) for b in blocks])
    return np.asarray(np.interp(at, x[order], shares), np.float64)


def judged(case: Case, way: str) -> tuple[float, float, float, float, float]:
    """Hollow share (all, labelled objects), ECE and log loss of the other half, mean score less
    share of right points there.
    """
    right, x = right_points(case.new), -np.log(case.new.spread)
    labelled = case.groups >= 0
    found = []

    def scores(used: NDArray[np.bool_]) -> Array:
        if way == "isotone":
            read = isotone(x[used].ravel(), right[used].ravel(), x.ravel())
            return np.clip(read, 0.01, 0.99).reshape(x.shape)
        return scores_of(case.new, WAYS[way](case, used), case.size)

    for seed in range(HALVES):
        names = np.random.default_rng([seed, 3]).permutation(int(case.groups.max()) + 1)
        used = np.isin(case.groups, names[: len(names) // 2])
        other = labelled & ~used
        p, r = scores(used)[other].ravel(), right[other].ravel()
        p, r = p[np.isfinite(r)], r[np.isfinite(r)]
        found.append((calibration_error(p, r), log_losses(p, r).mean(), p.mean() - r.mean()))
    whole = scores(labelled)
    ece, loss, bias = np.mean(found, 0)
    hollow = (whole < SURE).mean(), (whole[labelled] < SURE).mean()
    return float(hollow[0]), float(hollow[1]), float(ece), float(loss), float(bias)


def told(case: Case) -> str:
    """Hollow shares of a run as it tells them, and the points that are hollow since: those sure by
    the start and its own curve before.
    """
    labelled = case.groups >= 0
    alike = as_now(replace(case, new=case.old), labelled)
    seen = [(case.old, case.curve), (case.old, alike), (case.new, as_now(case, labelled))]
    shown, before, after = (scores_of(out, curve, case.size) < SURE for out, curve in seen)
    own, alike_share, share = (100 * hollow.mean() for hollow in (shown, before, after))
    newly = after & ~shown & labelled[:, None]
    right = [100 * np.nanmean(right_points(out)[newly]) for out in (case.old, case.new)]
    return (
        f"hollow {alike_share:.1f} -> {share:.1f} % ({own:.1f} % by the start's own curve); "
        f"{newly.sum()} labelled points are newly hollow, of which "
        f"{right[0]:.0f} % were right before and {right[1]:.0f} % are after"
    )


def main(
    root: Annotated[Path, typer.Argument(help="Project of tour_gain.")],
    runs: Annotated[str, typer.Option(help="Names, separated by commas; empty: all.")] = "",
) -> None:
    """Print and write the table, a mean over the runs."""
    torch.set_num_threads(1)
    project = open_project(root)
    names = runs.split(",") if runs else sorted(p.name for p in project.models_dir.iterdir())
    cases = [case_of(project, name) for name in names]
    for name, case in zip(names, cases, strict=True):
        print(f"{name}: {told(case)}", flush=True)
    table = []
    for who in ("start", "tuned"):
        seen = cases if who == "tuned" else [replace(cases[0], new=cases[0].old)]
        right = np.mean([np.nanmean(right_points(c.new)) for c in seen])
        for way in (*WAYS, "isotone"):
            found = np.mean([judged(c, way) for c in seen], 0)
            table.append({"weights": who, "way": way, "right": f"{100 * right:.1f}"})
            names_of = ("hollow", "hollow, labelled", "ECE", "log loss", "too sure by")
            for name, value in zip(names_of, found, strict=True):
                percent = name != "log loss"
                table[-1][name] = f"{100 * value:.2f}" if percent else f"{value:.4f}"
            print(table[-1], flush=True)
    write_table(root.parent / "tour_scores.csv", table)


if __name__ == "__main__":
    typer.run(main)
