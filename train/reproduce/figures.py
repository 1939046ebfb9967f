"""Samples of test images with predictions, like the paper's figures 3 (Shapes) and 4 (Blocks)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray

from train.data.batches import make_batch
from train.data.pictures import DataSet
from train.loop.checkpoint import load_model
from train.networks.model import Prediction
from train.reproduce.experiments import Cell
from train.reproduce.table import Result

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

SAMPLES = 8
SHARE = 0.05  # of the labels, in figure 4
MODELS = 4  # rows of figure 4

Pictures = NDArray[np.uint8]


def folder_of(out: Path, result: Result) -> Path:
    """Where a result's cell is kept under OUT."""
    keys = ("experiment", "row", "share", "seed")
    return out / Cell(*(result[k] for k in keys)).folder


def predicted(folder: Path, data: DataSet, rows: Sequence[int]) -> tuple[Prediction, Pictures]:
    """A finished cell's model on these examples, and their crops (N, S, S) gray."""
    model, kept = load_model(folder / "model.safetensors")
    batch = make_batch(data, rows, kept.spec, None)
    with torch.inference_mode():
        out = model(batch.image)
    return out, batch.image.mean(1).numpy().astype(np.uint8)


def coloured(picture: Pictures, at: NDArray[np.float64]) -> Pictures:
    """(S, S, 3) the gray picture with the shape around the point (x, y) in green."""
    _, labels = cv2.connectedComponents((picture > 64).astype(np.uint8))
    x, y = np.round(at).astype(int)
    rgb = np.repeat(picture[..., None], 3, 2)
    rgb[labels == labels[y, x]] *= np.array([0, 1, 0], np.uint8)
    return rgb


def draw_shapes(out: Path, data: DataSet, results: Sequence[Result], path: Path) -> None:
    """Figure 3: images; both landmarks and the shape said to be nearer; the two heat maps."""
    result = results[0]
    rows = list(range(SAMPLES))
    found, pictures = predicted(folder_of(out, result), data, rows)
    classes, (logits,) = data.markup.landmarks, found.attributes.values()
    figure, axes = plt.subplots(4, SAMPLES, figsize=(1.5 * SAMPLES, 6.2))
    for i in rows:
        nearer = int(logits[i].argmax())
        axes[0, i].imshow(pictures[i], cmap="gray")
        axes[1, i].imshow(coloured(pictures[i], data.examples[i].xy[nearer].astype(float)))
        for k, colour in ((0, "red"), (1, "dodgerblue")):
            x, y = found.xy[i, k].tolist()
            axes[1, i].plot(x, y, marker="+", color=colour, markersize=11, markeredgewidth=2.5)
            axes[2 + k, i].imshow(found.heat[i, k].numpy(), cmap="gray")
        right = data.examples[i].attributes["nearer"] == classes[nearer]
        axes[1, i].set_title(classes[nearer] if right else f"{classes[nearer]} (wrong)", fontsize=8)
    names = ("image", "landmarks,\nnearer one", "heat 1 (red)", "heat 2 (blue)")
    save_grid(figure, axes, names, f"{result['row']}, seed {result['seed']}", path)


def draw_blocks(out: Path, data: DataSet, results: Sequence[Result], path: Path) -> None:
    """Figure 4: true (green) and predicted (red) landmarks, a line for each model."""
    share = min((r["share"] for r in results), key=lambda s: (abs(s - SHARE), s))
    at = [r for r in results if r["share"] == share and r["row"].startswith("Seq-MT")]
    at = at or [r for r in results if r["share"] == share]
    shown = [next(r for r in at if r["row"] == row) for row in dict.fromkeys(r["row"] for r in at)]
    shown = shown[:MODELS]
    rows = list(range(SAMPLES))
    figure, axes = plt.subplots(
        len(shown), SAMPLES, figsize=(1.5 * SAMPLES, 0.5 + 1.5 * len(shown)), squeeze=False
    )
    for line, result in zip(axes, shown, strict=True):
        found, pictures = predicted(folder_of(out, result), data, rows)
        for i, axis in enumerate(line):
            axis.imshow(pictures[i], cmap="gray")
            points = ((data.examples[i].xy, "lime"), (found.xy[i].numpy(), "red"))
            for xy, colour in points:
                axis.scatter(xy[:, 0], xy[:, 1], marker="+", color=colour, s=28, linewidths=1.2)
    names = [r["row"].replace(" ", "\n") for r in shown]
    title = f"{100 * share:g} % of the labels: true green, predicted red"
    save_grid(figure, axes, names, title, path)


def save_grid(
    figure: Figure, axes: NDArray[np.object_], names: Sequence[str], title: str, path: Path
) -> None:
    """Name the lines of a grid of pictures and write it as PNG."""
    for line, name in zip(axes, names, strict=True):
        for axis in line:
            axis.set_xticks([])
            axis.set_yticks([])
        line[0].set_ylabel(name, fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
