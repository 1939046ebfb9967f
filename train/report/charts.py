"""The charts of a report, each as a light and a dark PNG."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from train.evaluate import metrics
from train.report.share_curve import Result

matplotlib.use("Agg")
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

DPI = 130
WIDE = 5.6  # inches; wider ones have letters too small to read on a phone
COLUMN = 35  # landmarks below one another before there is a second column
FONTS = (
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Arabic",
    "Noto Sans Devanagari", "Microsoft YaHei", "Hiragino Sans", "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of a chart, told apart by colour-blind readers, on paper or on a dark screen."""

    name: str
    paper: str
    ink: str
    faint: str
    base: str
    tuned: str
    rows: tuple[str, str, str, str]  # L, L+A, L+ELT, L+ELT+A


LIGHT = Theme(
    "light", "#ffffff", "#1c1f23", "#c9ced6", "#8b929c", "#0068b5",
    ("#7a7f87", "#d07a00", "#00875a", "#b0388f"),
)  # fmt: skip
DARK = Theme(
    "dark", "#1b1e23", "#e8eaed", "#444a53", "#8f98a5", "#58b4ff",
    ("#a7adb5", "#f0a830", "#2fcf95", "#e888c8"),
)  # fmt: skip
THEMES = (LIGHT, DARK)
MARKS = ("o", "s", "^", "D")


def plain(text: str, most: int = 26) -> str:
    """A name as chart text: no formula is read out of it, and it is not too long."""
    text = " ".join(text.split())
    text = text if len(text) <= most else text[: most - 1] + "…"
    return text.replace("$", r"\$")


def in_themes(path: Path, draw: Callable[[Theme], Figure]) -> None:
    """Write path (light) and path with _dark, each drawn with its theme."""
    have = set(font_manager.get_font_names())
    fonts = [f for f in FONTS if f in have] or ["sans-serif"]
    for theme in THEMES:
        settings: Any = {
            "font.family": fonts, "font.size": 11, "axes.facecolor": theme.paper,
            "figure.facecolor": theme.paper, "savefig.facecolor": theme.paper,
            "text.color": theme.ink, "axes.labelcolor": theme.ink, "axes.edgecolor": theme.faint,
            "xtick.color": theme.ink, "ytick.color": theme.ink, "grid.color": theme.faint,
            "legend.facecolor": theme.paper, "legend.edgecolor": theme.faint,
            "axes.spines.top": False, "axes.spines.right": False,
        }  # fmt: skip
        with plt.rc_context(settings), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of letters that no font here has
            figure = draw(theme)
            figure.savefig(themed(path, theme), dpi=DPI)
            plt.close(figure)


def themed(path: Path, theme: Theme) -> Path:
    """Where the chart of a theme lies."""
    return path if theme is LIGHT else path.with_name(f"{path.stem}_dark{path.suffix}")


def figure_of(
    columns: int = 1, width: float = WIDE, height: float = 3.8
) -> tuple[Figure, list[Axes]]:
    """A figure with axes beside one another, faint grids."""
    figure, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained")
    found: list[Axes] = [axes] if columns == 1 else list(axes)
    for axis in found:
        axis.grid(alpha=0.6, linewidth=0.7)
        axis.set_axisbelow(True)
    return figure, found


def ced_limit(errors: Sequence[NDArray[np.float64]]) -> float:
    """A round end of the error axis (%) that shows nearly all of every curve."""
    high = max((float(np.nanpercentile(e, 97)) for e in errors if np.isfinite(e).any()), default=5)
    return next((n for n in (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 60) if n >= high), 100)


def plot_ced(base: NDArray[np.float64] | None, tuned: NDArray[np.float64], path: Path) -> None:
    """Share of the held-out objects whose NME is at or below each error."""
    limit = ced_limit([tuned] if base is None else [base, tuned])

    def draw(theme: Theme) -> Figure:
        figure, (axis,) = figure_of()
        named = (("base", base, theme.base, "--"), ("fine-tuned", tuned, theme.tuned, "-"))
        for name, errors, colour, style in named:
            if errors is None:
                continue
            x, y = metrics.ced(errors, limit, 400)
            label = f"{name}: mean {np.nanmean(errors):.2f} %"
            axis.step(x, 100 * y, where="post", color=colour, ls=style, lw=2.2, label=label)
        axis.set(xlim=(0, limit), ylim=(0, 102))
        axis.set_xlabel("NME of an object (%), smaller is better")
        axis.set_ylabel("held-out objects within it (%)")
        axis.legend(loc="lower right")
        return figure

    in_themes(path, draw)


def plot_landmarks(
    base: Mapping[str, float] | None, tuned: Mapping[str, float], path: Path
) -> None:
    """NME (%) of each landmark, base and fine-tuned, as bars."""
    names = list(tuned)
    columns = -(-len(names) // COLUMN)
    size = -(-len(names) // columns)
    values = [v for m in (base or {}, tuned) for v in m.values() if np.isfinite(v)]
    limit = 1.06 * max(values, default=1.0)

    def draw(theme: Theme) -> Figure:
        height = 1.1 + size * (0.3 if base else 0.22)
        figure, axes = figure_of(columns, WIDE * columns, height)
        for i, axis in enumerate(axes):
            part = names[i * size : (i + 1) * size]
            at = np.arange(len(part))
            shift, thick = (0.2, 0.38) if base else (0.0, 0.7)
            if base:
                axis.barh(
                    at - shift, [base[n] for n in part], thick, color=theme.base, label="base"
                )
            axis.barh(
                at + shift, [tuned[n] for n in part], thick, color=theme.tuned, label="fine-tuned"
            )
            axis.set_yticks(at, [plain(n) for n in part])
            axis.set(xlim=(0, limit), ylim=(len(part) - 0.4, -0.6))
            axis.set_xlabel("NME (%)")
            axis.grid(axis="y", visible=False)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        return figure

    in_themes(path, draw)


def plot_confusion(table: NDArray[np.int64], classes: Sequence[str], path: Path) -> None:
    """Counts, rows the truth, columns the prediction; shade: share of the row."""
    share = table / np.maximum(table.sum(1, keepdims=True), 1)
    names = [plain(c, 18) for c in classes]
    side = max(3.6, 1.6 + 0.62 * len(names))

    def draw(theme: Theme) -> Figure:
        figure, (axis,) = figure_of(1, side + 0.6, side)
        axis.grid(visible=False)
        shades = LinearSegmentedColormap.from_list("shades", [theme.paper, theme.tuned])
        axis.imshow(share, cmap=shades, vmin=0, vmax=1)
        for i, row in enumerate(table.tolist()):
            for j, count in enumerate(row):
                axis.text(
                    j, i, str(count) if count else "·", ha="center", va="center",
                    color=theme.paper if share[i, j] > 0.5 else theme.ink,
                    weight="bold" if i == j else "normal",
                )  # fmt: skip
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(names)), names)
        axis.set_xlabel("predicted")
        axis.set_ylabel("labelled")
        return figure

    in_themes(path, draw)


def plot_pose(
    truth: NDArray[np.float64],
    base: NDArray[np.float64] | None,
    tuned: NDArray[np.float64],
    path: Path,
) -> None:
    """Predicted against labelled yaw, pitch and roll (degrees), (N, 3) each."""

    def draw(theme: Theme) -> Figure:
        figure, axes = figure_of(3, 9.0, 3.5)
        for i, (axis, name) in enumerate(zip(axes, ("yaw", "pitch", "roll"), strict=True)):
            shown = [truth[:, i], tuned[:, i]] + ([] if base is None else [base[:, i]])
            low, high = float(np.min(shown)) - 5, float(np.max(shown)) + 5
            axis.plot([low, high], [low, high], color=theme.faint, lw=1.5)
            if base is not None:
                axis.plot(truth[:, i], base[:, i], "x", color=theme.base, label="base", ms=5)
            axis.plot(truth[:, i], tuned[:, i], ".", color=theme.tuned, label="fine-tuned", ms=6)
            axis.set(xlim=(low, high), ylim=(low, high), title=f"{name} (degrees)")
            axis.set_xlabel("labelled")
        axes[0].set_ylabel("predicted")
        axes[0].legend(fontsize=8)
        return figure

    in_themes(path, draw)


def read_log(metrics_csv: Path, column: str) -> tuple[list[int], list[float]]:
    """Steps and values of a column of metrics.csv; empty where it has none."""
    if not metrics_csv.is_file():
        return [], []
    with metrics_csv.open(encoding="utf-8", newline="") as file:
        rows = [(int(r["step"]), float(r[column])) for r in csv.DictReader(file) if r.get(column)]
    known = [(s, v) for s, v in rows if np.isfinite(v)]
    return [s for s, _ in known], [v for _, v in known]


def plot_training(metrics_csv: Path, attributes: Sequence[str], kept: int, folder: Path) -> None:
    """Training loss, hold-out NME and attributes over the steps, each as FOLDER/training_*.png.

    A ring marks the step whose weights were `kept`.
    """
    wanted = [("loss", "training loss", "train_loss"), ("nme", "hold-out NME (%)", "hold_nme")]
    for name in attributes:
        wanted.append((name, f"hold-out {name} accuracy", f"hold_{name}_accuracy"))
        wanted.append((name, f"hold-out {name} error (degrees)", f"hold_{name}_mean"))
    for short, title, column in wanted:
        steps, values = read_log(metrics_csv, column)
        if values:
            ring = steps.index(kept) if kept in steps and short != "loss" else None
            _plot_log(title, (steps, values), ring, folder / f"training_{short}.png")


def _plot_log(
    title: str, log: tuple[Sequence[int], Sequence[float]], ring: int | None, path: Path
) -> None:
    """One quantity over the steps, with a ring around one of them."""
    steps, values = log

    def draw(theme: Theme) -> Figure:
        figure, (axis,) = figure_of(1, 3.6, 2.9)
        axis.plot(steps, values, color=theme.tuned, marker=".", lw=1.8)
        axis.set_title(plain(title, 40), fontsize=11)
        axis.set_xlabel("step")
        if ring is not None:
            look: dict[str, Any] = {"ms": 10, "mfc": "none", "mew": 2, "color": theme.rows[1]}
            axis.plot(steps[ring], values[ring], "o", label="kept", **look)
            axis.legend(fontsize=9)
        return figure

    in_themes(path, draw)


def plot_curve(results: Sequence[Result], base_nme: float | None, path: Path) -> None:
    """Hold-out NME against the share of the labels, a line a row, a faint dot a seed."""
    shares = sorted({r.share for r in results})
    labelled = {s: max(r.labelled for r in results if r.share == s) for s in shares}
    rows = list(dict.fromkeys(r.row for r in results))
    order = ("L", "L+A", "L+ELT", "L+ELT+A")

    def draw(theme: Theme) -> Figure:
        figure, (axis,) = figure_of(height=4.2)
        if base_nme is not None:
            axis.axhline(base_nme, color=theme.base, ls="--", lw=1.5, label="base, as it comes")
        for row in rows:
            mine = [r for r in results if r.row == row]
            at = sorted({r.share for r in mine})
            mean = [float(np.mean([r.nme for r in mine if r.share == s])) for s in at]
            k = order.index(row)
            axis.plot(at, mean, color=theme.rows[k], marker=MARKS[k], lw=2, label=row)
            if len({r.seed for r in mine}) > 1:
                dots = ([r.share for r in mine], [r.nme for r in mine])
                axis.plot(*dots, ".", color=theme.rows[k], alpha=0.45, ms=5)
        axis.set_xscale("log")
        axis.set_xticks(shares, [f"{100 * s:.0f} %\n{labelled[s]}" for s in shares])
        axis.minorticks_off()
        axis.set_xlabel("share of the labels, and labelled objects")
        axis.set_ylabel("hold-out NME (%), smaller is better")
        axis.legend()
        return figure

    in_themes(path, draw)
