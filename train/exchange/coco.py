"""COCO keypoints: one JSON for many pictures.

Points are pixel indices: the centre of the top left pixel is (0, 0), as here. `v` is 0, 1 or 2. The
fields that labels.json adds (`clip`, `frame`, `negative`, `box_of_points`; `source`, `confidence`
and `came_from` of what was spread) are used where present.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tracker.plain_data import count, finite
from tracker.progress import Report
from tracker.whole_files import write_whole
from train.exchange.foreign import (
    Foreign,
    Format,
    LabelFile,
    Picture,
    Points,
    Thing,
    repeated,
    slashes,
    thing,
)
from train.exchange.pictures import copy_picture, reported
from train.project.labels import SPREAD, FrameLabel, Labels, picture_name, to_coco
from train.project.layout import Project


def read_coco(file: LabelFile) -> Foreign:
    """Parse a COCO file. ValueError when it is none."""
    path, body = file.path, file.body
    try:
        twice = repeated([repr(image["id"]) for image in body["images"]])
        if twice is not None:
            raise ValueError(f"{path}: two images have the id {twice:.60}; export it again")
        names = {int(c["id"]): tuple(c.get("keypoints", ())) for c in body["categories"]}
        rows: dict[Any, list[Thing]] = {}
        crowds = bare = other = 0
        for ann in body["annotations"]:
            if ann.get("iscrowd"):
                crowds += 1
                continue
            if not ann.get("keypoints") and not ann.get("bbox"):
                bare += 1
                continue
            if not names[int(ann["category_id"])] and any(names.values()):
                other += 1  # what has landmarks is another category
                continue
            try:
                found = _thing(ann, names[int(ann["category_id"])])
            except ValueError as error:
                raise ValueError(f"{path}: annotation {ann.get('id')}: {error}") from error
            rows.setdefault(ann["image_id"], []).append(found)
        pictures = tuple(
            _picture(image, tuple(rows.get(image["id"], ())), path.parent)
            for image in body["images"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a COCO keypoints file ({error!r})") from error
    notes = [f"{crowds} crowd annotations were left out"] if crowds else []
    notes += [f"{bare} annotations without points and box were left out"] if bare else []
    notes += [f"{other} annotations of categories without keypoints were left out"] if other else []
    return Foreign("coco", pictures, tuple(notes))


def _picture(image: Mapping[str, Any], things: tuple[Thing, ...], folder: Path) -> Picture:
    size = (count(image["width"]), count(image["height"])) if image.get("width") else None
    frame = image.get("frame")
    return Picture(
        slashes(str(image['file_name'])), things, folder, str(image.get('clip', '')),
        count(frame) if frame is not None and image.get('clip') else None, size,
        bool(image.get('negative')) and not things,
    )  # fmt: skip


def _thing(ann: Mapping[str, Any], names: tuple[str, ...]) -> Thing:
    box = None
    if ann.get("bbox") and not ann.get("box_of_points"):
        box = _box(ann["bbox"])
    points = np.asarray(ann.get("keypoints") or [0.0] * (3 * len(names)), np.float64)
    if points.size != 3 * len(names):
        raise ValueError(
            f"its category names {len(names)} keypoints, and it has {points.size / 3:g}; mend the "
            "file"
        )
    points = points.reshape(-1, 3)
    if not np.isin(points[:, 2], (0, 1, 2)).all():
        raise ValueError("a visibility must be 0, 1 or 2, and one is not; mend the file")
    found = thing(
        ((n, x, y, int(v)) for n, (x, y, v) in zip(names, points.tolist(), strict=True)), box
    )
    sure = ann.get("confidence")
    if ann.get("source") != SPREAD or not isinstance(sure, list) or len(sure) != len(names):
        return found
    confidence = np.array([finite(c, 0.0, 1.0) for c in sure])
    came_from = tuple(count(frame) for frame in ann.get("came_from", ()))
    return replace(found, confidence=confidence, came_from=came_from)


def _box(given: Any) -> Points:
    """[x, y, width, height] as (4,) xyxy. ValueError when it is none."""
    try:
        x, y, w, h = (float(a) for a in given)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"its bbox must be [x, y, width, height], four numbers, and is {str(given)[:60]}; mend "
            "the file"
        ) from error
    return np.array([x, y, x + w, y + h])


def coco_text(body: Mapping[str, Any]) -> str:
    """The file, as `train.project.labels.to_coco` describes it."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def write_coco(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """labels.json, with its pictures in frames/."""
    for label in reported(frames, report):
        copy_picture(project, label, out / picture_name(*label.key))
    body = to_coco(project, Labels({f.key: f for f in frames}))
    write_whole(out / "labels.json", coco_text(body).encode())
    return [out / "labels.json"]


FORMAT = Format(
    "coco", read_coco, write_coco, lambda file: file.has({"images", "annotations", "categories"})
)
