"""Why is a hand of a composed scene not found: the detector, the landmarks, or presence?

    python -m docs.studies.compose_reach DATA --scenes 200

The scenes of `compose_scenes` that hold a hand. The palm detector looks at each by itself, in the
views of the first ten looks and in all of them: does a palm lie on the hand (half of it or more)?
From each such find the hand network looks twice, as the tracker does, with nothing asked of
presence or scores: do landmarks of one of them lie on the hand (as `compose_scenes` counts)? Last,
the crop around the true landmarks: are those right, and is presence 0.5 or more? Every column is
the share of hands that this part alone lets through, so the lowest is the limit of those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from docs.studies.compose_scenes import LOOKS, TRUE, Scene, scenes
from tracker.find.detectors import palm
from tracker.find.detectors.single_shot import Detector
from tracker.find.geometry import bounds_xyxy, box_from_landmarks, overlap_share
from tracker.find.locate import Model, load_model, locate
from tracker.find.model_file import bundled_file
from tracker.find.views import detect_in, of_hands
from tracker.follow.associate import landmark_distance
from tracker.types import CropBox, Detection, Floats

ON = 0.5  # of the smaller box: the detector's palm, and the true hand


def palms(scene: Scene, true_xy: Floats, detector: Detector) -> list[list[Detection]]:
    """Of each view in turn, the palms that lie on the hand."""
    box = bounds_xyxy(true_xy)
    return [
        [d for d in detect_in(scene.bgr, v, detector) if overlap_share(d.box_xyxy, box) >= ON]
        for v in of_hands(scene.bgr.shape)
    ]


def is_right(scene: Scene, boxes: Sequence[CropBox], true_xy: Floats, model: Model) -> bool:
    """Do landmarks of one of the boxes, or of the crop around them, lie on the hand?"""
    first = locate(scene.bgr, boxes, model)
    again = locate(scene.bgr, [box_from_landmarks("hand", f.xy) for f in first], model)
    return any(landmark_distance(f.xy, true_xy) < TRUE for f in (*first, *again))


def reach(scene: Scene, true_xy: Floats, detector: Detector, model: Model) -> list[bool]:
    """What lets this hand through, in the order of the table's columns."""
    found = palms(scene, true_xy, detector)
    crops = [palm.first_crop(d) for each in found for d in each]
    true = locate(scene.bgr, [box_from_landmarks("hand", true_xy)], model)[0]
    fits = landmark_distance(true.xy, true_xy) < TRUE
    return [
        any(found[: max(LOOKS)]), any(found), is_right(scene, crops, true_xy, model),
        fits, fits and true.presence >= 0.5,
    ]  # fmt: skip


COLUMNS = (
    "a palm in ten looks", "in all 16 views", "and its landmarks right", "right in the true crop",
    "and present there",
)  # fmt: skip


def main(
    data: Annotated[Path, typer.Argument(help="The folder of the data sets.")],
    scenes_count: Annotated[int, typer.Option("--scenes", min=1)] = 200,
    seed: int = 0,
    min_score: Annotated[float, typer.Option(help="Of the detector's finds.")] = 0.5,
    model: Annotated[Path | None, typer.Option(help="A hand model of yours.")] = None,
) -> None:
    """Print the table."""
    network = load_model(model or bundled_file("hand"), 1)
    detector = palm.load(1, min_score)
    seen: dict[str, list[list[bool]]] = {"real": [], "synthetic": []}
    for scene in scenes(data, scenes_count, seed):
        if scene.xy is not None:
            seen[scene.source].append(reach(scene, scene.xy, detector, network))
    typer.echo(f"| hands | number | {' | '.join(COLUMNS)} |")
    typer.echo("|---" * (2 + len(COLUMNS)) + "|")
    for name, rows in {"all": seen["real"] + seen["synthetic"], **seen}.items():
        shares = 100 * np.mean(np.array(rows, np.float64).reshape(-1, len(COLUMNS)), 0)
        typer.echo(f"| {name} | {len(rows)} | {' | '.join(f'{s:.1f} %' for s in shares)} |")


if __name__ == "__main__":
    typer.run(main)
