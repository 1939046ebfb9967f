"""What held-out hands are read as, and those that are read wrongly, to look at.

    python -m docs.studies.gestures.mistaken MODEL PREP/hand21.json --sheet mistaken.jpg

Crops of the held-out hands whose gesture is named, from the labels. Printed for each gesture, of
real and of rendered hands: how many there are, and what they are read as. The sheet shows those
that are read wrongly, by pair and the surest first, with their labels' landmarks: is it the network
that is wrong, or would a person say the same?
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.contact_sheet import sheets
from tracker.types import Image
from tracker.whole_files import write_whole
from train.data.pictures import DataSet
from train.evaluate.metrics import confusion
from train.evaluate.outputs import predict
from train.evaluate.report import labels_for, open_model

SIDE, LINE, ACROSS = 192, 22, 12  # pixels of a tile and of its words; tiles in a row


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Held-out hands (N) with a named gesture, and what they are read as."""

    rows: NDArray[np.int64]
    truth: NDArray[np.int64]
    said: NDArray[np.float64]  # (N, classes) probabilities
    classes: tuple[str, ...]


def read_hands(model: Path, labels: Path) -> tuple[DataSet, Reading]:
    """The labels and the model's reading of those held out."""
    run, spec, names = open_model(model)
    data = labels_for(model, names, [labels], spec.data.hold_out, spec.seed)
    classes = next(h.attribute.classes for h in spec.heads if h.attribute.name == "gesture")
    out = predict(run, data, [i for i in data.rows(True) if not data.examples[i].negative], spec)
    known = out.truth["gesture"] >= 0
    said = out.attributes["gesture"][known]
    return data, Reading(out.rows[known], out.truth["gesture"][known], said, classes)


def table(found: Reading, part: NDArray[np.bool_]) -> list[str]:
    """Lines: gesture, examples, read rightly, what the others are read as."""
    names, lines = found.classes, []
    counts = confusion(found.truth[part], found.said[part].argmax(1), len(names))
    for i, own in enumerate(counts):
        wrong = [k for k in np.argsort(-own, kind="stable") if own[k] and k != i]
        others = ", ".join(f"{own[k]} {names[k]}" for k in wrong)
        if own.any():
            lines.append(f"| {names[i]} | {own.sum()} | {own[i]} | {others} |")
    return lines


def tile(data: DataSet, row: int, words: str) -> Image:
    """A held-out hand with its labels' landmarks and words below."""
    example, image = data.examples[row], data.image(row)
    scale = SIDE / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for x, y in example.xy[np.isfinite(example.xy).all(1)] * scale:
        cv2.circle(image, (round(x), round(y)), 1, (0, 255, 0), -1, cv2.LINE_AA)
    canvas = np.full((SIDE + LINE, SIDE, 3), 255, np.uint8)
    canvas[: image.shape[0], : image.shape[1]] = image
    at = (2, SIDE + LINE - 7)
    cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return canvas


def write_sheet(data: DataSet, found: Reading, path: Path) -> int:
    """Write the picture of all that are read wrongly; returns how many there are."""
    best, sure = found.said.argmax(1), found.said.max(1)
    wrong = np.flatnonzero(best != found.truth)
    wrong = wrong[np.lexsort((-sure[wrong], best[wrong], found.truth[wrong]))]
    tiles = [
        tile(
            data, int(found.rows[k]),
            f"{found.classes[found.truth[k]]} as {found.classes[best[k]]} {sure[k]:.2f}",
        )
        for k in wrong
    ]  # fmt: skip
    for sheet in sheets(tiles, ACROSS, max(1, len(tiles)), ground=255):  # one page
        write_whole(path, cv2.imencode(path.suffix, sheet)[1].tobytes())
    return len(wrong)


def main(
    model: Annotated[Path, typer.Argument(help="A hand model with gestures.")],
    labels: Annotated[Path, typer.Argument(help="The labels file of `train prepare hands`.")],
    sheet: Annotated[Path, typer.Option(help="The picture of those read wrongly.")],
) -> None:
    """Print both tables, write the picture."""
    data, found = read_hands(model, labels)
    real = np.array([data.examples[i].quality == "teacher" for i in found.rows])
    for name, part in (("real", real), ("rendered", ~real)):
        print(f"| {name} | hands | read rightly | read as |\n|---|---|---|---|")
        print("\n".join(table(found, part)))
    print(f"{write_sheet(data, found, sheet)} hands in {sheet}")


if __name__ == "__main__":
    typer.run(main)
