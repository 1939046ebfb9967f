"""Are a test set's labels shifted against what a model learnt? Its errors, by the turn of the face.

    python -m docs.studies.label_offset mtfl CELL --data FOLDER

CELL is the folder of a finished cell of `train reproduce`. Prints the median of predicted - true in
the picture's own axes, for all images and by the direction of the line between two landmarks. What
is wrong with a model, or meant otherwise by an annotator, turns with the object; a shift that stays
put while the objects turn is one of the coordinates. The error without the shift is printed too:
each half of the images is freed of the shift of the other half, so that nothing is fitted to what
it is measured on.

`--sides` prints the shift by the size of the photo, for pictures in which black bands show all four
of its ends (AFLW's test faces of MTFL are whole photos of 150 px): one that is a constant part of
the photo's side is a constant number of the photo's own pixels, so no resampling made it.
`--attribute` prints the error by class. `--blur` and `--mirrored` change what the network sees, to
find out what it lacks: crops made softer, and the mean of a crop's points and its mirror image's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

from tracker.types import Image
from train.config import FitSpec
from train.data.augment import true_box
from train.data.pictures import DataSet
from train.evaluate.outputs import Runner, predict, torch_runner
from train.loop.checkpoint import load_model
from train.losses.paper import Batch
from train.reproduce.experiments import load_set
from train.sets.base import Metric

Array = NDArray[np.float64]
TURNS = (-180.0, -15.0, -5.0, 5.0, 15.0, 180.0)  # degrees, edges of the groups
BLACK = 12  # brighter columns and rows belong to the photo (JPEG leaves a little in the bands)


def blurred(run: Runner, sigma: float) -> Runner:
    """A runner that sees its crops through a Gaussian of this deviation, pixels."""

    def soft(batch: Batch) -> dict[str, Array]:
        maps = batch.image.flatten(0, 1).numpy()
        found = np.stack([cv2.GaussianBlur(m, (0, 0), sigma) for m in maps])
        return run(replace(batch, image=torch.from_numpy(found).view_as(batch.image)))

    return soft


def both_ways(run: Runner, pairs: Sequence[tuple[int, int]]) -> Runner:
    """A runner whose points are the mean of a crop's and of its mirror image's, mirrored back."""

    def both(batch: Batch) -> dict[str, Array]:
        out, other = run(batch), run(replace(batch, image=batch.image.flip(-1)))["xy"].copy()
        other[..., 0] = batch.image.shape[-1] - 1 - other[..., 0]
        for a, b in pairs:
            other[:, [a, b]] = other[:, [b, a]]
        return {**out, "xy": (out["xy"] + other) / 2}

    return both


def shift_of(gap: Array) -> Array:
    """(2,) the median over images and points of gaps (N, K, 2), NaN where nothing is known."""
    return np.asarray(np.nanmedian(gap.reshape(-1, 2), 0))


def turns_of(target: Array, pair: tuple[int, int]) -> Array:
    """(N,) degrees of the line between two landmarks against the picture's x axis (y down)."""
    line = target[:, pair[1]] - target[:, pair[0]]
    return np.degrees(np.arctan2(line[:, 1], line[:, 0]))


def error_without_shift(xy: Array, target: Array, metric: Metric, size: int) -> float:
    """The mean error when each half of the images is freed of the other half's shift."""
    each = np.full(len(xy), np.nan)
    for half in (0, 1):
        own, other = np.arange(len(xy)) % 2 == half, np.arange(len(xy)) % 2 != half
        moved = xy[own] - shift_of(xy[other] - target[other])
        each[own] = metric.of(np.linalg.norm(moved - target[own], axis=-1), target[own], size)
    return float(np.nanmean(each))


def photo_side(picture: Image) -> float:
    """Side of the square photo inside of black bands, pixels; NaN where an end is not to be seen.

    picture (H, W, 3) of 0..255. A half covered column counts as half: its light over that of the
    second next one.
    """
    found = []
    for axis in (0, 1):
        light = np.percentile(np.max(picture, 2), 90, axis=axis).astype(float)
        (bright,) = np.nonzero(light >= BLACK)
        if len(bright) < 8 or bright[0] == 0 or bright[-1] == len(light) - 1:
            return float("nan")
        a, b = int(bright[0]), int(bright[-1])
        ends = min(1.0, light[a] / light[a + 2]) + min(1.0, light[b] / light[b - 2])
        found.append(b - a - 1 + ends)
    return float(np.mean(found)) if abs(found[0] - found[1]) < 1 else float("nan")


def print_sides(gap: Array, sides: Array) -> None:
    """The shift by the photo's side, in pixels and as a part of the side.

    gap (N, K, 2) and sides (N,), NaN where not known: crop pixels.
    """
    known = sides[np.isfinite(sides)]
    if len(known) < 50:
        raise typer.BadParameter(
            f"black bands show the whole photo in {len(known)} pictures, 50 are wanted for five "
            "groups; leave out --sides"
        )
    print(f"{'side, px':>14}  images      x      y   x, y in % of the side")
    for low, high in pairwise(np.quantile(known, np.linspace(0, 1, 6))):
        rows = (sides >= low) & ((sides < high) | (high == known.max()))
        x, y = shift_of(gap[rows])
        part = 100 / np.median(sides[rows])
        print(
            f"{low:6.1f} to {high:4.1f}  {rows.sum():6d}  {x:5.2f}  {y:5.2f}  "
            f"{x * part:5.2f}  {y * part:5.2f}"
        )


def print_by(each: Array, named: Sequence[str | None], attribute: str, unit: str) -> None:
    """The mean error of the images of each class; each (N,), NaN unknown, named: (N,) classes."""
    print(f"{attribute:>14}  images  error")
    for name in sorted({n for n in named if n is not None}):
        rows = np.array([n == name for n in named])
        print(f"{name:>14}  {rows.sum():6d}  {np.nanmean(each[rows]):5.2f} {unit}")


def print_turns(gap: Array, turns: Array) -> None:
    """The shift of gaps (N, K, 2) by the turn of the object (N,), degrees."""
    print(f"{'turned by':>14}  images      x      y")
    groups = [("all", np.isfinite(turns))]
    groups += [
        (f"{low:.0f} to {high:.0f}", (turns >= low) & (turns < high))
        for low, high in pairwise(TURNS)
    ]
    for words, rows in groups:
        if rows.any():
            x, y = shift_of(gap[rows])
            print(f"{words:>14}  {rows.sum():6d}  {x:5.2f}  {y:5.2f}")


def worst_share(each: Array) -> float:
    """Part of the whole error (N,) that the worst hundredth of the images gives, %."""
    worst = np.sort(each[np.isfinite(each)])[::-1]
    return float(100 * worst[: max(1, len(worst) // 100)].sum() / worst.sum())


def classes_of(images: DataSet, attribute: str) -> list[str | None]:
    """The class of each held-out image; BadParameter for an attribute that none has."""
    known = sorted({name for e in images.examples for name in e.attributes})
    if attribute not in known:
        raise typer.BadParameter(f"no image tells its {attribute}; they tell {', '.join(known)}")
    found = [images.examples[i].attributes.get(attribute) for i in images.rows(hold=True)]
    return [None if f is None else str(f) for f in found]


def photo_sides(images: DataSet, kept: FitSpec) -> Array:
    """(N,) sides of the photos of the held-out images, crop pixels; NaN where not to be seen."""
    found = []
    for i in images.rows(hold=True):
        picture = images.image(i)
        box = true_box(kept.kind, images.examples[i], picture.shape[:2], kept.crop)  # type: ignore[arg-type]
        found.append(photo_side(picture) * kept.net.size / box.side)
    return np.array(found)


def main(
    name: Annotated[str, typer.Argument(help="The experiment, such as mtfl.")],
    cell: Annotated[Path, typer.Argument(help="Folder of a finished cell.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    pair: Annotated[str, typer.Option(help="Landmarks whose line says the turn.")] = "0,1",
    validation: Annotated[
        bool, typer.Option("--validation", help="The validation images in place of the test's.")
    ] = False,
    sides: Annotated[
        bool, typer.Option("--sides", help="The shift by the photo's size, too.")
    ] = False,
    attribute: Annotated[str | None, typer.Option(help="The error by its classes, too.")] = None,
    blur: Annotated[
        float | None, typer.Option(min=0.1, help="Crops seen through a Gaussian of this deviation.")
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="The mean with the mirror image's points.")
    ] = False,
) -> None:
    """Print the shift by the turn of the object, and the error with and without it."""
    found, (model, kept) = load_set(name, data), load_model(cell / "model.safetensors")
    images = found.fit if validation else found.test
    run = torch_runner(model) if blur is None else blurred(torch_runner(model), blur)
    if mirrored:
        run = both_ways(run, images.markup.flip_pairs)
    out = predict(run, images, images.rows(hold=True), kept.spec)
    target = np.where(out.labelled[..., None], out.target, np.nan)
    gap, metric, size = out.xy - target, found.metrics[0], kept.spec.net.size
    a, b = (int(k) for k in pair.split(","))
    print(f"predicted - true, pixels of the {size} px crop, median over images and points")
    print_turns(gap, turns_of(target, (a, b)))
    if sides:
        print_sides(gap, photo_sides(images, kept.spec))
    each = metric.of(np.linalg.norm(gap, axis=-1), target, size)
    if attribute is not None:
        print_by(each, classes_of(images, attribute), attribute, metric.unit)
    freed = error_without_shift(out.xy, target, metric, size)
    print(
        f"{metric.name}: {np.nanmean(each):.2f} {metric.unit}, without the shift {freed:.2f} "
        f"{metric.unit}; the worst hundredth of the images gives {worst_share(each):.1f} % of it"
    )


if __name__ == "__main__":
    typer.run(main)
