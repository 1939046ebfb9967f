"""Where a face model's error of the irises comes from.

    python -m docs.studies.faces.iris_errors MODEL LABELS DATA/faces_synth/labels.json

LABELS is what `train prepare faces` wrote. Of the held-out rendered faces: mean error in % of the
distance that the outer corners of the eyes have when seen from the front (as `train evaluate`
prints it), and in % of the distance that they have in the picture; the share of the first that each
group of irises brings, beside its share of the irises; and how far what is said follows a gaze: the
slope of the place of the iris between the lids, said over true, along the eye.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from train.data.faces import CLOSED, HALF
from train.data.pictures import Example
from train.evaluate.faces import BIN, eyes_apart, lids_open, slope
from train.evaluate.outputs import Outputs, predict
from train.evaluate.report import choose_rows, labels_for, open_model

FLAGS = ("glasses", "sunglasses", "dim", "backlight", "motion", "coarse", "hand")
EYES = ((36, 39), (42, 45))  # corners

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def groups(
    examples: list[Example], flags: list[list[str]], opening: Array
) -> Iterator[tuple[str, Mask]]:
    """Names and irises (N, 2) of each group."""
    every = np.ones_like(opening, bool)
    seen = np.array([~e.hidden[68:] for e in examples if e.hidden is not None])
    yaw = np.abs([e.attributes["pose"][0] for e in examples])[:, None] * every
    yield "all", every
    for low in np.arange(0, 105, BIN):
        yield f"yaw {low:.0f} to {low + BIN:.0f}", (yaw >= low) & (yaw < low + BIN)
    yield "seen", seen
    yield "hidden", ~seen
    yield "closed", opening < CLOSED
    yield "half open", (opening >= CLOSED) & (opening < HALF)
    yield "open", opening >= HALF
    yield "seen and open", seen & (opening >= HALF)
    for flag in FLAGS:
        yield flag, every & np.array([flag in each for each in flags])[:, None]
    disturbed = np.array([bool(set(FLAGS) & set(each)) for each in flags])[:, None]
    yield "seen and open, none of these", seen & (opening >= HALF) & ~disturbed


def along(xy: Array, apart: Array) -> Array:
    """(N, 2) where irises are along the eye, from the middle of the lids, in units of `apart`."""
    found = []
    for eye, (a, b) in enumerate(EYES):
        line = xy[:, b] - xy[:, a]
        line = line / np.maximum(np.linalg.norm(line, axis=1, keepdims=True), 1e-6)
        off = xy[:, 68 + eye] - xy[:, a : a + 6].mean(1)
        found.append((off * line).sum(1) / apart)
    return np.stack(found, 1)


def lines(out: Outputs, examples: list[Example], flags: list[list[str]]) -> Iterator[str]:
    """The table."""
    apart = eyes_apart(out.target, out.labelled, examples)
    pixels = np.linalg.norm(out.xy[:, 68:] - out.target[:, 68:], axis=2)
    flat = np.linalg.norm(out.target[:, 36] - out.target[:, 45], axis=1)
    error, in_picture = 100 * pixels / apart[:, None], 100 * pixels / flat[:, None]
    said, true = along(out.xy, apart), along(out.target, apart)
    yield "| irises | count | of the irises | of the error | error | by the picture's | slope |"
    yield "|---|---|---|---|---|---|---|"
    for name, at in groups(examples, flags, lids_open(out.target, apart)):
        if at.any():
            yield (
                f"| {name} | {at.sum()} | {at.mean():.0%} | {error[at].sum() / error.sum():.0%} "
                f"| {error[at].mean():.2f} % | {in_picture[at].mean():.1f} % "
                f"| {slope(said[at], true[at]):.2f} |"
            )


def main(
    model: Annotated[Path, typer.Argument(help="An exported model or a checkpoint.")],
    labels: Annotated[Path, typer.Argument(help="What 'train prepare faces' wrote.")],
    rendered: Annotated[Path, typer.Argument(help="The labels of faces_synth, for its flags.")],
) -> None:
    """Print the table."""
    run, spec, names = open_model(model)
    data = labels_for(model, names, [labels])
    rows = choose_rows(data, "hold", ["quality=exact"])
    coco = json.loads(rendered.read_text(encoding="utf-8"))
    files = {image["id"]: Path(image["file_name"]).name for image in coco["images"]}
    known = {files[each["image_id"]]: each["flags"] for each in coco["annotations"]}
    examples = [data.examples[i] for i in rows]
    flags = [known[e.path.name] for e in examples]
    print(*lines(predict(run, data, rows, spec), examples, flags), sep="\n")


if __name__ == "__main__":
    typer.run(main)
