"""Pictures of a run: loss and error curves, CED, a grid of the worst cases."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from tracker.sources.picture_file import encoded
from tracker.types import Image
from tracker.whole_files import write_whole
from train.config import FitSpec
from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.evaluate import metrics
from train.evaluate.outputs import Outputs

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def plot_curves(metrics_csv: Path, out: Path) -> None:
    """Training loss terms and hold-out errors of metrics.csv over steps, as one PNG."""
    with metrics_csv.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    for axis, prefix, title in ((axes[0], "train_", "training"), (axes[1], "hold_", "hold-out")):
        for name in [k for k in (rows[0] if rows else {}) if k.startswith(prefix)]:
            got = [(int(r["step"]), float(r[name])) for r in rows if r.get(name)]
            if got:
                axis.plot(*zip(*got, strict=True), label=name[len(prefix) :], marker=".")
        axis.set_xlabel("step")
        axis.set_title(title)
        axis.set_yscale("log")
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)


def plot_ced(per_image: dict[str, NDArray[np.float64]], limit: float, out: Path) -> None:
    """Cumulative error distributions, one line a name, as PNG."""
    figure, axis = plt.subplots(figsize=(6, 4))
    for name, errors in per_image.items():
        x, y = metrics.ced(errors, limit)
        axis.plot(x, y, label=f"{name}, mean {np.nanmean(errors):.2f} %")
    axis.set_xlabel("NME of an image (%)")
    axis.set_ylabel("share of images")
    axis.set_ylim(0, 1)
    axis.set_xlim(0, limit)
    axis.grid(alpha=0.3)
    axis.legend()
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)


def draw_case(
    image: Image,
    target: NDArray[np.float64],
    guess: NDArray[np.float64],
    labelled: NDArray[np.bool_],
    text: str,
    zoom: int = 2,
) -> Image:
    """Truth (green) and prediction (red) on a crop, joined by lines; `text` below."""
    big = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    for a, b, known in zip(target, guess, labelled, strict=True):
        q = tuple(int(v) for v in (b + 0.5) * zoom)
        if known:
            p = tuple(int(v) for v in (a + 0.5) * zoom)
            cv2.line(big, p, q, (0, 200, 255), 1, cv2.LINE_AA)
            cv2.circle(big, p, 2, (0, 220, 0), -1, cv2.LINE_AA)
        cv2.circle(big, q, 2, (40, 40, 255), -1, cv2.LINE_AA)
    strip = np.zeros((16, big.shape[1], 3), np.uint8)
    cv2.putText(
        strip, text, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA
    )
    return np.vstack([big, strip])


def worst_grid(
    out: Outputs, data: DataSet, spec: FitSpec, per_image: NDArray[np.float64], path: Path,
    count: int = 24, columns: int = 6,
) -> None:  # fmt: skip
    """The examples with the largest NME, truth green and prediction red, as one PNG."""
    order = [
        int(i) for i in np.argsort(-np.nan_to_num(per_image, nan=-1)) if np.isfinite(per_image[i])
    ]
    save_grid(out, data, spec, per_image, order[:count], path, columns)


def save_grid(
    out: Outputs, data: DataSet, spec: FitSpec, per_image: NDArray[np.float64], which: list[int],
    path: Path, columns: int = 6,
) -> None:  # fmt: skip
    """Any selection of examples (indices into `out`) as one PNG."""
    tiles = []
    for i in which:
        batch = make_batch(data, [int(out.rows[i])], spec, None)
        rgb = batch.image[0].numpy().astype(np.uint8).transpose(1, 2, 0)
        bgr = np.ascontiguousarray(rgb[..., ::-1] if rgb.shape[2] == 3 else rgb.repeat(3, 2))
        tiles.append(
            draw_case(
                bgr, out.target[i], out.xy[i], out.labelled[i], _caption(out, spec, i, per_image[i])
            )
        )
    if not tiles:
        return
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[a : a + columns]) for a in range(0, len(tiles), columns)]
    write_whole(path, encoded(np.vstack(rows)))


def _caption(out: Outputs, spec: FitSpec, i: int, error: float) -> str:
    parts: list[Any] = [f"{error:.1f} %"]
    for head in spec.heads:
        name, classes = head.attribute.name, head.attribute.classes
        if classes:
            guess = classes[int(out.attributes[name][i].argmax())]
            truth = int(out.truth[name][i])
            parts.append(
                guess if truth < 0 or classes[truth] == guess else f"{guess}!={classes[truth]}"
            )
        elif head.attribute.width <= 3:
            parts.append(" ".join(f"{v:.0f}" for v in out.attributes[name][i]))
    return "  ".join(parts)
