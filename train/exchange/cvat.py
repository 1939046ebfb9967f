"""CVAT 1.1 XML, for images and for video.

Coordinates count from the picture's top left corner, so the centre of the top left pixel is
(0.5, 0.5). A landmark is an element of a `skeleton`, or a `points` shape of one point that has the
landmark's name (shapes with one `group_id` are one object). `outside` is not labelled, `occluded`
hidden. Of a video track the keyframes are taken: what lies between was not set by anybody.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from tracker.progress import Report
from tracker.whole_files import write_whole
from train.exchange.foreign import (
    LOOSE,
    NEGATIVE,
    STILLS,
    Foreign,
    Format,
    LabelFile,
    Picture,
    Points,
    Thing,
    by_group,
    frame_number,
    repeated,
    slashes,
    thing,
    with_boxes,
)
from train.exchange.pictures import copy_picture, reported
from train.project.labels import FrameLabel, ObjectLabel
from train.project.layout import Project

CORNER = 0.5
NOTHING = "negative"  # the tag of a picture with nothing in it


def read_cvat(file: LabelFile) -> Foreign:
    """Parse a CVAT file. ValueError when it is none."""
    path = file.path
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        raise ValueError(f"{path} is not valid XML ({error}); export it from CVAT again") from error
    if root.tag != "annotations":
        raise ValueError(f"{path} is not a CVAT file: it begins with '{root.tag}'")
    notes: list[str] = []
    try:
        if root.find("track") is not None:
            pictures = _video(root, path, notes)
        else:
            pictures = [_image(image, root, path, notes) for image in root.iter("image")]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a CVAT 1.1 file ({error!r})") from error
    return Foreign("cvat", tuple(pictures), tuple(notes))


def _image(image: ET.Element, root: ET.Element, path: Path, notes: list[str]) -> Picture:
    name = slashes(image.attrib["name"])
    rows: list[tuple[object, Any]] = []
    loose: list[Points] = []
    for number, shape in enumerate(image):
        group = shape.get("group_id") or "0"
        alone = group if group != "0" else f"#{number}"
        if shape.tag == "skeleton":
            rows += [(alone, row) for row in _elements(shape)]
        elif shape.tag == "points":
            rows += [(group, row) for row in _points(shape, shape.attrib["label"])]
        elif shape.tag == "box" and group != "0":
            rows.append((group, _box(shape)))
        elif shape.tag == "box":
            loose.append(_box(shape))
    things = _gathered(rows, loose, f"{name}, ", notes)
    tags = {tag.get("label") for tag in image.iter("tag")}
    source = root.findtext("meta/task/source") or ""
    frame = frame_number(name) if source and "." not in name else None
    return Picture(
        name, tuple(things), path.parent, source if frame is not None else '', frame,
        (int(image.attrib['width']), int(image.attrib['height'])), NOTHING in tags and not things,
    )  # fmt: skip


def _video(root: ET.Element, path: Path, notes: list[str]) -> list[Picture]:
    source = root.findtext("meta/task/source") or root.findtext("meta/source") or path.stem
    width = root.findtext("meta/task/original_size/width")
    height = root.findtext("meta/task/original_size/height")
    size = (int(width), int(height)) if width and height else None
    frames: dict[int, list[tuple[object, Any]]] = {}
    loose: dict[int, list[Points]] = {}
    between = 0
    for track in root.iter("track"):
        group = track.get("group_id") or "0"
        for shape in track:
            if shape.get("outside") == "1" or shape.tag not in ("skeleton", "points", "box"):
                continue
            parts = shape.findall("points")
            if "1" not in [shape.get("keyframe"), *(p.get("keyframe") for p in parts)]:
                between += 1
                continue
            rows = frames.setdefault(int(shape.attrib["frame"]), [])
            alone = group if group != "0" else f"#{track.get('id')}"
            if shape.tag == "skeleton":
                rows += [(alone, row) for row in _elements(shape)]
            elif shape.tag == "points":
                rows += [(group, row) for row in _points(shape, track.attrib["label"])]
            elif group != "0":
                rows.append((group, _box(shape)))
            else:
                loose.setdefault(int(shape.attrib["frame"]), []).append(_box(shape))
    if between:
        notes.append(f"{between} interpolated shapes between keyframes were left out")
    pictures = []
    for frame, rows in sorted(frames.items()):
        things = _gathered(rows, loose.get(frame, []), f"frame {frame}, ", notes)
        pictures.append(Picture("", tuple(things), path.parent, source, frame, size))
    return pictures


def _gathered(
    rows: Iterable[tuple[object, Any]], loose: Sequence[Points], place: str, notes: list[str]
) -> list[Thing]:
    """The objects of a picture, whose rows have a group, and boxes that have none."""
    things: list[Thing] = []
    any_points = False
    for key, found in by_group(rows):
        any_points |= any(isinstance(row, tuple) for row in found)
        _add(things, found, f"{place}group {key}", notes)
    things, over = with_boxes(things, loose, any_points)
    notes += [f"{place}{over} {LOOSE}"] if over else []
    return things


def _add(things: list[Thing], found: Sequence[Any], place: str, notes: list[str]) -> None:
    points = [row for row in found if isinstance(row, tuple)]
    boxes = [row for row in found if not isinstance(row, tuple)]
    twice = repeated([row[0] for row in points])
    if twice is not None:
        notes.append(f"{place}: '{twice}' is there twice in one object, which was left out")
        return
    things.append(thing(points, boxes[0] if len(boxes) == 1 else None))


def _elements(skeleton: ET.Element) -> Iterable[tuple[str, float, float, int]]:
    for part in skeleton.findall("points"):
        yield from _points(part, part.attrib["label"])


def _points(shape: ET.Element, label: str) -> Iterable[tuple[str, float, float, int]]:
    pairs = [p.split(",") for p in shape.attrib["points"].split(";") if p]
    v = 0 if shape.get("outside") == "1" else 1 if shape.get("occluded") == "1" else 2
    for i, (x, y) in enumerate(pairs):
        # A shape of several points names none of them: they have an order only.
        yield (label if len(pairs) == 1 else f"{label} {i}", float(x), float(y), v)


def _box(shape: ET.Element) -> Points:
    return np.array([float(shape.attrib[k]) for k in ("xtl", "ytl", "xbr", "ybr")])


def images_text(
    frames: Sequence[FrameLabel], names: Sequence[str], landmarks: Sequence[str], kind: str
) -> bytes:
    """CVAT for images; `names` are the pictures'."""
    root = _root(landmarks, kind, len(frames), "annotation", None)
    for number, (label, name) in enumerate(zip(frames, names, strict=True)):
        width, height = label.size_wh
        image = ET.SubElement(root, 'image', id=str(number), name=name, width=str(width),
                              height=str(height))  # fmt: skip
        for group, found in enumerate(label.objects, 1):
            _put(image, found, landmarks, kind, {"group_id": str(group)})
        if label.negative:
            ET.SubElement(image, "tag", label=NOTHING, source="manual")
    return _bytes(root)


def video_text(
    frames: Sequence[FrameLabel], clip: str, landmarks: Sequence[str], kind: str
) -> bytes:
    """CVAT for video, of the frames of one clip: each object a track of one frame."""
    root = _root(landmarks, kind, len(frames), "interpolation", (clip, frames[0].size_wh))
    number = 0
    for label in frames:
        for group, found in enumerate(label.objects, 1):
            pieces = [("skeleton", kind)] + ([("box", "box")] if found.box_xyxy is not None else [])
            for what, name in pieces:
                track = ET.SubElement(root, 'track', id=str(number), label=name, source='manual',
                                      group_id=str(group))  # fmt: skip
                number += 1
                for step in (0, 1):  # the second says that the object is gone
                    _put(track, found, landmarks, kind, {'frame': str(label.frame + step)}, what,
                         step == 1)  # fmt: skip
    return _bytes(root)


def _put(
    parent: ET.Element,
    found: ObjectLabel,
    landmarks: Sequence[str],
    kind: str,
    extra: dict[str, str],
    what: str = "",
    gone: bool = False,
) -> None:
    video = {"outside": str(int(gone)), "keyframe": "1"} if what else {}
    common = {"occluded": "0", "source": "manual", "z_order": "0", **video, **extra}
    if what != "box":
        shape = ET.SubElement(parent, "skeleton", {"label": kind, **common})
        for name, xy, v in zip(landmarks, found.xy, found.v, strict=True):
            x, y = (xy.astype(np.float64) + CORNER) if v else (0.0, 0.0)
            ET.SubElement(shape, 'points', {
                'label': name, 'source': 'manual', 'outside': str(int(v == 0 or gone)),
                'occluded': str(int(v == 1)), 'points': f'{x:.4f},{y:.4f}',
                **({'keyframe': '1'} if what else {}),
            })  # fmt: skip
    if found.box_xyxy is not None and what != "skeleton":
        ends = (found.box_xyxy.astype(np.float64) + CORNER).tolist()
        sides = {k: f"{a:.4f}" for k, a in zip(("xtl", "ytl", "xbr", "ybr"), ends, strict=True)}
        ET.SubElement(parent, "box", {"label": "box", **common, **sides})


def _root(
    landmarks: Sequence[str], kind: str, count: int, mode: str,
    clip: tuple[str, tuple[int, int]] | None,
) -> ET.Element:  # fmt: skip
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    for key, text in (("name", kind), ("size", str(count)), ("mode", mode)):
        ET.SubElement(task, key).text = text
    labels = ET.SubElement(task, "labels")
    for name, what, parent in [(kind, 'skeleton', ''), *((n, 'points', kind) for n in landmarks),
                               ('box', 'rectangle', ''), (NOTHING, 'tag', '')]:  # fmt: skip
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = name
        ET.SubElement(label, "type").text = what
        ET.SubElement(label, "attributes")
        if parent:
            ET.SubElement(label, "parent").text = parent
    if clip is not None:
        size = ET.SubElement(task, "original_size")
        ET.SubElement(size, "width").text = str(clip[1][0])
        ET.SubElement(size, "height").text = str(clip[1][1])
        ET.SubElement(task, "source").text = clip[0]
    return root


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def write_images(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """annotations.xml, with its pictures in images/."""
    names = [f"{Path(f.clip).stem}/frame{f.frame:06d}.png" for f in frames]
    for label, name in zip(reported(frames, report), names, strict=True):
        copy_picture(project, label, out / "images" / name)
    path = out / "annotations.xml"
    write_whole(path, images_text(frames, names, project.landmarks, project.kind))
    return [path]


def write_video(
    project: Project, frames: Sequence[FrameLabel], out: Path, report: Report
) -> list[Path]:
    """An XML for each clip, which has its pictures."""
    files = []
    for clip, group in groupby(frames, key=lambda f: f.clip):
        files.append(out / f"{Path(clip).stem}.xml")
        text = video_text(list(group), clip, project.landmarks, project.kind)
        write_whole(files[-1], text)
    return files


FORMAT = Format("cvat", read_cvat, write_images, lambda file: file.suffix == ".xml", corner=True)
VIDEO = Format(
    "cvat-video", None, write_video, lambda _: False, loses=(NEGATIVE, STILLS), needs_pictures=False
)
