"""Label Studio: a JSON list of tasks; points and boxes in percent of the picture.

100 % is the far edge, so a point at x % lies x / 100 * width from the left edge and the centre of
the first pixel at half a pixel. `parentID` says to which rectangle (one a object) a point belongs.
Label Studio knows no hidden points: the region's text `meta` says 'occluded', which it keeps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import numpy as np

from tracker.progress import Report
from tracker.whole_files import write_whole
from train.exchange.foreign import (
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
)
from train.exchange.pictures import copy_picture, reported
from train.project.labels import FrameLabel, box_of
from train.project.layout import Project

CORNER = 0.5
MADE = "box of the points"  # nobody drew it


def read_labelstudio(file: LabelFile) -> Foreign:
    """Parse a task export (JSON, not JSON-MIN). ValueError when it is none."""
    path, notes = file.path, list[str]()
    try:
        pictures = [_picture(task, path, notes) for task in file.body]
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration) as error:
        raise ValueError(
            f"{path} is not a Label Studio task export ({error!r}); export it as 'JSON', not "
            "'JSON-MIN'"
        ) from error
    return Foreign("labelstudio", tuple(p for p in pictures if p), tuple(notes))


def local_path(url: str) -> str:
    """The path in a picture's address: of local storage ?d=..., of an upload, or of the web."""
    try:
        parts = urlsplit(slashes(url))
    except ValueError:  # such as http://[
        return url
    inside = parse_qs(parts.query).get("d")
    return inside[0] if inside else unquote(parts.path)


def _picture(task: Mapping[str, Any], path: Path, notes: list[str]) -> Picture | None:
    data = task["data"]
    done = [a for a in task.get('annotations', task.get('completions', []))
            if not a.get('was_cancelled')]  # fmt: skip
    name = data.get("image") or next(
        (v for v in data.values() if isinstance(v, str) and "." in v), None
    )
    if name is None:
        notes.append(f"task {task.get('id')} has no picture and was left out")
        return None
    if len(done) > 1:
        notes.append(f"{local_path(name)}: {len(done)} annotations, the first was taken")
    results = [r for r in done[0]["result"] if "value" in r] if done else []
    if any(r.get("image_rotation") for r in results):
        notes.append(f"{local_path(name)} is turned in Label Studio and was left out")
        return None
    size = next(((int(r['original_width']), int(r['original_height'])) for r in results
                 if r.get('original_width')), None)  # fmt: skip
    if size is None and results:
        notes.append(f"{local_path(name)}: the file does not say its size; it was left out")
        return None
    things = _things(results, size or (1, 1), local_path(name), notes)
    negative = bool(data.get("negative")) and not things
    return Picture(
        local_path(name), tuple(things), path.parent, str(data.get('clip', '')),
        _frame(data.get('frame')) if data.get('clip') else None, size, negative,
    )  # fmt: skip


def _frame(given: object) -> int | None:
    """A frame's number, which tools may write as a text; None for what is none."""
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _things(
    results: Sequence[Mapping[str, Any]], size_wh: tuple[int, int], name: str, notes: list[str]
) -> list[Thing]:
    boxes: dict[object, Points | None] = {}
    rows = []
    scale = np.array(size_wh) / 100
    for r in results:
        value = r["value"]
        if "keypointlabels" in value:
            hidden = "occluded" in ((r.get("meta") or {}).get("text") or [])
            x, y = np.array([value["x"], value["y"]]) * scale
            row = (str(value["keypointlabels"][0]), float(x), float(y), 1 if hidden else 2)
            rows.append((r.get("parentID"), row))
        elif "rectanglelabels" in value and not value.get("rotation"):
            corner = np.array([value["x"], value["y"]])
            ends = [corner, corner + np.array([value["width"], value["height"]])]
            made = MADE in ((r.get("meta") or {}).get("text") or [])
            boxes[r.get("id")] = None if made else (np.array(ends) * scale).ravel()
    things: list[Thing] = []
    parents = {group for group, _ in rows}
    for group, points in by_group(rows):
        twice = repeated([p[0] for p in points])
        if twice is not None:
            notes.append(f"{name}: '{twice}' is there twice in one object, which was left out")
            continue
        # One rectangle and points that name none: both are of the one object there is.
        only = next(iter(boxes.values())) if len(boxes) == 1 and parents == {None} else None
        things.append(thing(points, boxes.get(group, only)))
    for key, box in boxes.items():
        if box is not None and key not in parents and parents != {None}:
            things.append(thing((), box))
    return things


def task(
    label: FrameLabel, landmarks: Sequence[str], kind: str, picture: str, number: int
) -> dict[str, Any]:
    """One task; `picture` is its address."""
    width, height = label.size_wh
    scale = 100 / np.array([width, height], np.float64)
    head = {'original_width': width, 'original_height': height, 'image_rotation': 0,
            'to_name': 'image'}  # fmt: skip
    results: list[dict[str, Any]] = []
    for i, found in enumerate(label.objects):
        parent = f"object{number}_{i}"
        given = found.v > 0
        box = box_of(found)
        if box is not None:
            ends = (box.astype(np.float64) + CORNER).reshape(2, 2) * scale
            value = dict(zip(('x', 'y', 'width', 'height'),
                             [*ends[0].tolist(), *(ends[1] - ends[0]).tolist()],
                             strict=True))  # fmt: skip
            made = [] if found.box_xyxy is not None else [MADE]
            results.append({
                **head, 'meta': {'text': made}, 'id': parent, 'from_name': 'box',
                'type': 'rectanglelabels',
                'value': {**value, 'rotation': 0, 'rectanglelabels': [kind]},
            })  # fmt: skip
        for j in np.flatnonzero(given).tolist():
            x, y = (found.xy[j].astype(np.float64) + CORNER) * scale
            results.append({
                **head, 'id': f'{parent}_{j}', 'from_name': 'landmarks', 'type': 'keypointlabels',
                'parentID': parent, 'meta': {'text': ['occluded'] if found.v[j] == 1 else []},
                'value': {'x': float(x), 'y': float(y), 'width': 0.5,
                          'keypointlabels': [landmarks[j]]},
            })  # fmt: skip
    data = {"image": picture, "clip": label.clip, "frame": label.frame}
    if label.negative:
        data["negative"] = True
    return {"id": number, "data": data, "annotations": [{"id": number, "result": results}]}


def tasks_text(tasks: Sequence[Mapping[str, Any]]) -> str:
    """The file."""
    return json.dumps(list(tasks), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def config_text(landmarks: Sequence[str], kind: str) -> str:
    """The labelling interface that these tasks need."""
    rows = "\n".join(f"    <Label value={quoteattr(n)}/>" for n in landmarks)
    return (
        '<View>\n  <Image name="image" value="$image"/>\n'
        f'  <RectangleLabels name="box" toName="image">\n    <Label value={quoteattr(kind)}/>\n'
        f'  </RectangleLabels>\n  <KeyPointLabels name="landmarks" toName="image">\n{rows}\n'
        "  </KeyPointLabels>\n</View>\n"
    )


def write_labelstudio(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """tasks.json, the labelling interface in config.xml, and pictures/."""
    tasks = []
    for number, label in enumerate(reported(frames, report), 1):
        name = f"pictures/{Path(label.clip).stem}/frame{label.frame:06d}.png"
        copy_picture(project, label, out / name)
        address = f"/data/local-files/?d={quote(name)}"
        tasks.append(task(label, project.landmarks, project.kind, address, number))
    write_whole(out / "tasks.json", tasks_text(tasks).encode())
    config = config_text(project.landmarks, project.kind)
    write_whole(out / "config.xml", config.encode())
    return [out / "tasks.json", out / "config.xml"]


def is_labelstudio(file: LabelFile) -> bool:
    """Whether it is a list of tasks."""
    if file.suffix != ".json" or not isinstance(file.body, list) or not file.body:
        return False
    return isinstance(file.body[0], dict) and "data" in file.body[0]


FORMAT = Format("labelstudio", read_labelstudio, write_labelstudio, is_labelstudio, corner=True)
