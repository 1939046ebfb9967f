"""Faces with 68 points (iBUG markup): what all sets of them share, and the 300W stand-in.

The stand-in is a COCO file `labels.json` of face crops (870 of HELEN's training set, 337 of AFW,
labelled by hand; YouTube-Faces frames, labelled by a machine). Its test set are the 200 hand-made
pictures that `train prepare faces` holds out too, so nothing here compares with 300W's test set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tracker.find.markups import find_markup
from train.data.faces import held_face_groups
from train.data.pictures import DataSet, Example, Markup
from train.sets.base import Metric, PaperSet, between
from train.sets.points import example, need, square_box

POINTS = 68
# The paper's first: eye centres, the middle of the two corners of each eye (0-based).
METRICS = (
    Metric("error / eye centres", "%", between((36, 39), (42, 45))),
    Metric("error / outer eye corners", "%", between((36,), (45,))),
)
HELD = 0.1  # share of the training pictures that validates
TEST = 200
SAID = ("source", "group", "quality")
WHERE = (
    "give a folder with a COCO file labels.json of 68-point faces whose images say source, group "
    "and quality ('manual' or 'automatic'), such as 'train prepare faces' takes"
)


def markup68() -> Markup:
    """Names, edges and mirror partners of the 68 points."""
    face = find_markup("face68")
    return Markup(face.landmarks, face.edges, face.flip_pairs)


def held_groups(examples: Sequence[Example], share: float, seed: int) -> set[str]:
    """Whole groups, in an order that `seed` alone decides, of `share` of the examples at most."""
    sizes: dict[str, int] = {}
    for e in examples:
        sizes[e.group] = sizes.get(e.group, 0) + 1
    names = sorted(sizes)
    room, held = round(share * len(examples)), set()
    for i in np.random.default_rng([seed, 11]).permutation(len(names)):
        if sizes[names[i]] <= room:
            room -= sizes[names[i]]
            held.add(names[i])
    return held


def _coco(path: Path) -> Mapping[str, Any]:
    """The file's content; ValueError where it is not what `WHERE` says."""
    try:
        body: Mapping[str, Any] = json.loads(need(path, WHERE).read_text(encoding="utf-8"))
        names = body["categories"][0]["keypoints"]
        missing = {k for m in body["images"] for k in ("id", "file_name", *SAID) if k not in m}
        missing |= {k for a in body["annotations"] for k in ("image_id", "keypoints") if k not in a}
    except (json.JSONDecodeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{path} is not a COCO keypoints file ({error!r}); {WHERE}") from error
    if missing:
        raise ValueError(f"{path} does not say everywhere: {', '.join(sorted(missing))}; {WHERE}")
    if len(names) != POINTS:
        raise ValueError(f"{path} has {len(names)} landmarks, {POINTS} are wanted; {WHERE}")
    known = {m["id"] for m in body["images"]}
    for i, ann in enumerate(body["annotations"]):
        if ann["image_id"] not in known or len(ann["keypoints"]) != 3 * POINTS:
            raise ValueError(f"annotation {i} of {path} has no image or not {POINTS} points")
    return body


def _examples(folder: Path, body: Mapping[str, Any]) -> list[Example]:
    images = {m["id"]: m for m in body["images"]}
    found = []
    for ann in body["annotations"]:
        image = images[ann["image_id"]]
        points = np.asarray(ann["keypoints"], np.float32).reshape(POINTS, 3)
        xy = np.where(points[:, 2:] > 0, points[:, :2], np.nan).astype(np.float32)
        origin = (str(image["source"]), str(image["group"]))
        made = example(folder / image["file_name"], xy, square_box(xy), {}, origin, False)
        found.append(replace(made, quality=str(image["quality"])))
    return found


def read_faces68(folder: Path, seed: int, unlabelled: bool = False) -> PaperSet:
    """The stand-in: 200 hand-made pictures test, a tenth of the others (by `seed`) validates.

    No photo's group is in two of the three. `unlabelled` adds the machine-labelled pictures to
    training, without landmarks (their points only place the crop). Boxes: the square around the
    68 points, which RCN enlarges by 1.3. Raises ValueError for a missing or unsuitable file.
    """
    body = _coco(folder / "labels.json")
    examples, tested = _examples(folder, body), held_face_groups(body["images"], TEST)
    manual = [e for e in examples if e.quality == "manual"]
    rest = [e for e in manual if e.group not in tested]
    held = held_groups(rest, HELD, seed)
    fit = [replace(e, hold=e.group in held) for e in rest]
    if unlabelled:
        nothing = np.zeros(POINTS, bool)
        fit += [
            replace(e, hold=False, labelled=nothing)
            for e in examples
            if e.quality != "manual" and e.group not in tested | held
        ]
    test = tuple(replace(e, hold=True) for e in manual if e.group in tested)
    parts = {
        source: tuple(i for i, e in enumerate(test) if e.source == source)
        for source in sorted({e.source for e in test})
    }
    sets = (DataSet(markup68(), tuple(fit)), DataSet(markup68(), test))
    return PaperSet("faces68", *sets, METRICS, parts, whole_pixels="crop")
