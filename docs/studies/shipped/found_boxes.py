"""How well hands are marked in the crops that the tracker finds for itself, beside true ones.

    python -m docs.studies.shipped.found_boxes MODEL PREP/hand21.json

Each held-out picture is shown to the palm detector, in the views of `tracker image` one after the
other, until it finds the labelled hand: at least half of the smaller of both boxes is shared. The
hand is then marked in the detector's own crop, in the crop around those landmarks (which decides
whether a track begins) and in each frame of a still video after it; and, to see what a wrong turn
costs, in the second crop where the first was turned as the labels are. All rows are of the same
hands: those that are found. Normaliser: the longer side of the labels' box.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from tracker.config import TrackerConfig
from tracker.find.detectors import DETECTORS
from tracker.find.detectors.finder import Finder
from tracker.find.geometry import bounds_xyxy, box_from_landmarks, overlap_share
from tracker.find.locate import Model, load_model, locate
from tracker.find.views import detect_in, of_hands
from tracker.follow.track_memory import is_whole
from tracker.types import CropBox, Floats, Image, Located
from train.data.pictures import DataSet, read_coco
from train.evaluate import metrics
from train.evaluate.outputs import nme_of, predict
from train.evaluate.report import choose_rows, open_model

Array = NDArray[np.float64]
SAME = 0.5  # share of the smaller box from which a detection is of the labelled hand
FRAMES = 3  # in which the hand is followed after the detector's crop
DEFAULT = TrackerConfig()
ROWS = (
    "the detector's crop", "the crop around those landmarks", f"followed for {FRAMES} frames",
    "the second crop, the detector's one turned as the labels",
)  # fmt: skip
QUALITIES = {"real": "teacher", "rendered": "exact"}


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A hand that was found: by which view, and what the network said in crop after crop."""

    view: int  # from 0; it is the whole picture
    seen: tuple[Located, ...]  # the detector's crop, that around its landmarks, and so on
    turned: tuple[Located, ...]  # the same, the detector's crop turned as the labels' is

    @property
    def xy(self) -> Floats:
        """(rows of the table, 21, 2) landmarks, pixels of the picture."""
        return np.stack([*(self.seen[i].xy for i in (0, 1, -1)), self.turned[1].xy])


def first_crop(bgr: Image, xy: Floats, finder: Finder) -> tuple[int, CropBox] | None:
    """The first view in which the hand with landmarks (21, 2) is found, and its crop; else None."""
    box = bounds_xyxy(xy[np.isfinite(xy).all(1)])
    for i, view in enumerate(of_hands(bgr.shape)):
        for found in detect_in(bgr, view, finder):
            if overlap_share(found.box_xyxy, box) >= SAME:
                return i, finder.first_crop(found)
    return None


def followed(bgr: Image, box: CropBox, model: Model) -> tuple[Located, ...]:
    """What the network says in a crop, in the one around that, and so on, `FRAMES` more times."""
    seen = locate(bgr, [box], model)
    for _ in range(1 + FRAMES):
        box = box_from_landmarks("hand", seen[-1].xy, rule=model.info.crop)
        seen += locate(bgr, [box], model)
    return tuple(seen)


def errors(marked: Marked, xy: Floats, labelled: NDArray[np.bool_]) -> Array:
    """NME (rows of the table,) in %, against landmarks (21, 2)."""
    target = np.stack([xy] * len(ROWS)).astype(np.float64)
    mask = np.stack([labelled] * len(ROWS))
    apart = metrics.point_errors(marked.xy.astype(np.float64), target, mask)
    return metrics.nme_per_image(apart, metrics.normalisers(target, mask))


def line(name: str, each: Array, true: Array) -> str:
    """A row of the table: errors (N,) in %, beside those (N,) from the true boxes."""
    worse = each.mean() / true.mean() - 1
    cells = (name, f"{each.mean():.2f}", f"{np.median(each):.2f}", f"{(each > 10).mean():.1%}")
    return f"| {' | '.join(cells)} | {worse:+.1%} |"


def measure(name: str, quality: str, data: DataSet, path: Path) -> None:
    """Print the table of one hold-out."""
    run, spec, _ = open_model(path)
    model, finder = load_model(path, threads=1), DETECTORS["hand"](1, DEFAULT.detect_score)
    rows = choose_rows(data, "hold", [f"quality={quality}"])
    rows = [i for i in rows if data.examples[i].labelled.any()]
    every = nme_of(predict(run, data, rows, spec), ())
    marked: dict[int, Marked] = {}
    for i, row in enumerate(rows):
        bgr = data.image(row)
        crop = first_crop(bgr, data.examples[row].xy, finder)
        if crop is not None:
            true_box = box_from_landmarks("hand", data.examples[row].xy, rule=model.info.crop)
            turned = replace(crop[1], angle=true_box.angle)
            marked[i] = Marked(crop[0], *(followed(bgr, box, model) for box in (crop[1], turned)))
    true = every[list(marked)]
    by_row = [
        errors(m, data.examples[rows[i]].xy, data.examples[rows[i]].labelled)
        for i, m in marked.items()
    ]
    first = sum(m.view == 0 for m in marked.values())
    print(f"{name}: {len(rows)} hands, found {len(marked)}, in the whole picture {first}")
    print("| crop | mean % | median % | above 10 % | mean beside true boxes |\n" + "|---" * 5 + "|")
    print(line("true box, all hands", every, every))
    shown = np.array([is_shown(m, model) for m in marked.values()])
    for words, kept in (("", np.ones(len(true), bool)), (", shown", shown)):
        print(line(f"true box, the {kept.sum()} found{words}", true[kept], true[kept]))
        for what, each in zip(ROWS, np.array(by_row).T, strict=True):
            print(line(what + words, each[kept], true[kept]))


def is_shown(marked: Marked, model: Model) -> bool:
    """Is it surely there, and are its points in order, in the crop that decides?"""
    judged = marked.seen[1]
    return judged.presence >= DEFAULT.presence_on and is_whole(judged, model.info)


def main(
    model: Annotated[Path, typer.Argument(help="A hand model.")],
    labels: Annotated[Path, typer.Argument(help="Labels of 'train prepare hands'.")],
    rendered: Annotated[bool, typer.Option(help="Of the rendered hold-out, not the real.")] = False,
) -> None:
    """Print the table of a hold-out."""
    name = "rendered" if rendered else "real"
    measure(name, QUALITIES[name], read_coco(labels), model)


if __name__ == "__main__":
    typer.run(main)
