"""LabelMe: one JSON a picture, a `point` shape for each landmark.

Coordinates count from the picture's top left corner, so the centre of the top left pixel is
(0.5, 0.5). `group_id` says which points, and which rectangle, are one object. Hidden: a shape whose
flag `occluded` (or `hidden`) is set. Nothing here: the picture's flag `negative`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tracker.progress import Report
from tracker.whole_files import write_whole
from train.exchange.foreign import (
    LOOSE,
    Foreign,
    Format,
    LabelFile,
    Picture,
    Points,
    Thing,
    by_group,
    repeated,
    slashes,
    thing,
    with_boxes,
)
from train.exchange.pictures import copy_picture, reported
from train.project.labels import FrameLabel
from train.project.layout import Project

CORNER = 0.5


def read_labelme(file: LabelFile) -> Foreign:
    """Parse one LabelMe file. ValueError when it is none."""
    path, body = file.path, file.body
    try:
        shapes = list(body["shapes"])
        kinds = [s.get("shape_type") or "polygon" for s in shapes]
        taken = [(s.get('group_id'), s) for s, k in zip(shapes, kinds, strict=True)
                 if k in ('point', 'rectangle')]  # fmt: skip
        notes = [f"{path.name}: {n} {k} shapes were left out" for k, n in _count(kinds).items()]
        things: list[Thing] = []
        loose: list[Points] = []
        for group, rows in by_group(taken):
            if group is None:
                loose = _loose(rows)
            found, note = _thing(rows, group)
            things += [found] if found else []
            notes += [f"{path.name}: {note}"] if note else []
        things, over = with_boxes(things, loose, "point" in kinds)
        notes += [f"{path.name}: {over} {LOOSE}"] if over else []
        height, width = body.get("imageHeight"), body.get("imageWidth")
        name = slashes(str(body["imagePath"]))
        negative = bool((body.get("flags") or {}).get("negative")) and not things
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} is not a LabelMe file ({error!r})") from error
    size = (int(width), int(height)) if width and height else None
    inside = body.get("imageData")

    def data() -> bytes:
        try:
            return base64.b64decode(inside)
        except (binascii.Error, TypeError) as error:
            raise ValueError(f"{path}: imageData is damaged") from error

    picture = Picture(
        name, tuple(things), path.parent, size_wh=size, negative=negative,
        data=data if inside else None,
    )  # fmt: skip
    return Foreign("labelme", (picture,), tuple(notes))


def _count(kinds: Iterable[str]) -> dict[str, int]:
    left = [k for k in kinds if k not in ("point", "rectangle")]
    return {k: left.count(k) for k in dict.fromkeys(left)}


def _thing(rows: list[Mapping[str, Any]], group: object) -> tuple[Thing | None, str]:
    boxes = [r for r in rows if r["shape_type"] == "rectangle"]
    points = [r for r in rows if r["shape_type"] == "point"]
    twice = repeated([r["label"] for r in points])
    if twice is not None:
        return None, (
            f"'{twice}' is there twice in group {group}, so objects cannot be told apart; give "
            "each object a group id in LabelMe"
        )
    if not points and group is None:
        return None, ""  # each may be an object of its own
    box = _ends(boxes[0]) if len(boxes) == 1 else None
    found = []
    for r in points:
        x, y = r["points"][0]
        flags = r.get("flags") or {}
        hidden = flags.get("occluded") or flags.get("hidden")
        found.append((str(r["label"]), float(x), float(y), 1 if hidden else 2))
    return thing(found, box), ""


def _loose(rows: list[Mapping[str, Any]]) -> list[Points]:
    """Boxes without a group that are not the one box of the points without a group."""
    boxes = [r for r in rows if r["shape_type"] == "rectangle"]
    return [] if len(boxes) == 1 < len(rows) else [_ends(r) for r in boxes]


def _ends(shape: Mapping[str, Any]) -> Points:
    """A rectangle (4,) xyxy, from two opposite corners or, in newer files, all four."""
    ends = np.asarray(shape["points"], np.float64)
    return np.concatenate([ends.min(0), ends.max(0)])


def labelme_text(label: FrameLabel, landmarks: tuple[str, ...], kind: str, picture: str) -> str:
    """The file of one frame; `picture` is relative to it."""
    shapes = []
    for group, found in enumerate(label.objects):
        if found.box_xyxy is not None:
            ends = (found.box_xyxy.astype(np.float64) + CORNER).reshape(2, 2)
            shapes.append(_shape(kind, ends.round(4).tolist(), group, "rectangle", {}))
        for name, xy, v in zip(landmarks, found.xy, found.v, strict=True):
            if v:
                at = (xy.astype(np.float64) + CORNER).round(4).tolist()
                shapes.append(_shape(name, [at], group, "point", {"occluded": bool(v == 1)}))
    body = {
        'version': '5.5.0', 'flags': {'negative': True} if label.negative else {},
        'shapes': shapes, 'imagePath': picture, 'imageData': None,
        'imageHeight': label.size_wh[1], 'imageWidth': label.size_wh[0],
    }  # fmt: skip
    return json.dumps(body, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _shape(
    label: str, points: list[Any], group: int, kind: str, flags: Mapping[str, bool]
) -> dict[str, Any]:
    return {'label': label, 'points': points, 'group_id': group, 'description': '',
            'shape_type': kind, 'flags': dict(flags), 'mask': None}  # fmt: skip


def write_labelme(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """A JSON beside each picture."""
    files = []
    for label in reported(frames, report):
        picture = out / Path(label.clip).stem / f"frame{label.frame:06d}.png"
        copy_picture(project, label, picture)
        files.append(picture.with_suffix(".json"))
        text = labelme_text(label, project.landmarks, project.kind, picture.name)
        write_whole(files[-1], text.encode())
    return files


FORMAT = Format(
    "labelme", read_labelme, write_labelme, lambda file: file.has({"shapes", "imagePath"}),
    corner=True,
)  # fmt: skip
