"""Pictures of a reproduction: the tables as curves."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from train.reproduce.experiments import experiment_of, load_set
from train.reproduce.figures import draw_blocks, draw_shapes
from train.reproduce.paper import PaperTable
from train.reproduce.table import Result, values_at
from train.reproduce.tasks import ReproduceWish

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def draw_table(table: PaperTable, results: Sequence[Result], path: Path) -> bool:
    """Error against the share of labels as PNG: ours with the seeds' deviation, the paper dashed.

    False (and nothing written) where ours has nothing.
    """
    rows = [r for r in table.rows if any(values_at(table, results, r, s) for s in table.shares)]
    if not rows:
        return False
    figure, axis = plt.subplots(figsize=(8, 5))
    for row in rows:
        colour = f"C{list(table.rows).index(row)}"
        ours = [(s, values_at(table, results, row, s)) for s in table.shares]
        ours = [(s, v) for s, v in ours if v]
        spread = [statistics.stdev(v) if len(v) > 1 else 0.0 for _, v in ours]
        axis.errorbar(
            [100 * s for s, _ in ours], [statistics.fmean(v) for _, v in ours], spread,
            color=colour, marker="o", capsize=3, label=row,
        )  # fmt: skip
        theirs = [(100 * s, v) for s in table.shares if (v := table.value(row, s)) is not None]
        if theirs:
            xy = zip(*theirs, strict=True)
            axis.plot(*xy, color=colour, linestyle="--", marker=".", alpha=0.6)
    axis.set_xscale("log")
    axis.set_xticks([100 * s for s in table.shares], [f"{100 * s:g} %" for s in table.shares])
    axis.minorticks_off()
    axis.set_xlabel("images with landmark labels")
    axis.set_ylabel(f"{table.what} ({table.unit})")
    axis.set_title(f"{table.number}: ours solid, the paper's dashed", fontsize=10)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return True


def draw_all(wish: ReproduceWish, results: Sequence[Result]) -> list[Path]:
    """Every table that has results, and samples of generated sets, as PNG; the files."""
    drawn = []
    experiment = experiment_of(wish.experiment)
    for table in map(experiment.whole, experiment.tables):
        slug = re.sub(r"[^a-z0-9]+", "_", table.number.lower()).strip("_")
        path = wish.folder / f"{slug}.png"
        if draw_table(table, results, path):
            drawn.append(path)
    draw_samples = {"shapes": draw_shapes, "blocks": draw_blocks}.get(wish.experiment)
    if draw_samples is not None:
        path = wish.folder / "samples.png"
        draw_samples(wish.out, load_set(wish.experiment, wish.data).test, results, path)
        drawn.append(path)
    return drawn
