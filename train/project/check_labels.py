"""What may be wrong in labels.json, its pictures, the journal and ranges.csv. Reads only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tracker.errors import UserError
from tracker.plain_data import bare_name, count, finite, from_json
from tracker.whole_files import png_size, read_text
from train.project.clips import Clip
from train.project.journal import State, read_state
from train.project.labels import Labels, Range, picture_name, range_rows, refuse_other_markup
from train.project.layout import Project
from train.project.problems import Problem, error, warning
from train.project.stills import is_stills

LABELS, RANGES, JOURNAL = "labels/labels.json", "labels/ranges.csv", "labels/journal.jsonl"
OUTSIDE = 1.0  # pixels by which a point may lie outside its frame
BEYOND = 0.05  # seconds by which a range may outlast its clip
WANTED_S = 30.0  # of ranges for each gesture
RESTORE = "put the newest file of labels/backup/ in its place"

Clips = Mapping[str, Clip]


def check_labels(project: Project, clips: Clips) -> Iterator[Problem]:
    """labels.json, its pictures, and the journal."""
    state = _state(project)
    if state is not None:
        yield from _journal(state)
    if not project.labels_path.is_file():
        return
    try:
        coco = from_json(read_text(project.labels_path))
        images, annotations, categories = coco["images"], coco["annotations"], coco["categories"]
        names = list(categories[0]["keypoints"])
        lists = isinstance(images, list) and isinstance(annotations, list)
        if not lists or not all(isinstance(row, dict) for row in [*images, *annotations]):
            raise TypeError("images and annotations must be lists of objects")
        ids = [row.get("id") for row in [*images, *annotations]]
        ids += [ann.get("image_id") for ann in annotations]
        if not all(isinstance(word, int | str | None) for word in [*ids, *names]):
            raise TypeError("ids must be numbers, and names of landmarks words")
    except (UserError, ValueError, KeyError, TypeError, IndexError) as wrong:
        yield error(LABELS, "", f"it cannot be read ({wrong!r})", RESTORE)
        return
    for name in _twice(names):
        yield error(LABELS, name, "this landmark is named twice", RESTORE)
    try:
        refuse_other_markup(project, categories, LABELS)
    except UserError as wrong:
        yield error(LABELS, "categories", str(wrong), "put back the names, or begin a new project")
        return
    for number in _twice([image.get("id") for image in images]):
        remedy = "give each picture its own id, or put a backup in its place"
        yield error(LABELS, f"image {number}", "two pictures have this id", remedy)
    for number in _twice([ann.get("id") for ann in annotations]):
        remedy = "'train check --fix' numbers them anew"
        yield error(LABELS, f"annotation {number}", "two have this id", remedy, "annotation_ids")
    if state is not None:
        yield from _spread(state.labels)
    yield from _images(project, clips, images, annotations)
    yield from _annotations(project, images, annotations)


def _state(project: Project) -> State | None:
    try:
        return read_state(project)
    except UserError:
        return None  # the file at fault is reported for itself


def _journal(state: State) -> Iterator[Problem]:
    if state.unreadable or state.zeros:
        what = f"{state.unreadable} lines are damaged and will be left out"
        if state.zeros:
            what = "it ends in zeros, as after a power cut: the last actions may be missing"
        yield warning(JOURNAL, "", what, "look at the labels made last; --fix keeps a copy", "fold")
    if state.actions:
        what = f"{len(state.actions)} actions are not in labels.json yet"
        remedy = "open the labeller, or use --fix, to write them there"
        yield warning(JOURNAL, "", what, remedy, "fold")


def _spread(labels: Labels) -> Iterator[Problem]:
    """How many labels are by hand, and how many were spread; nothing where none was."""
    hand = len(labels.by_hand())
    accepted = len(labels.frames) - hand
    if labels.proposals:
        told = f"{hand} frames are labelled by hand"
        if accepted:
            told = f"{hand + accepted} frames are labelled, {hand} by hand, {accepted} spread and "
            told += "accepted"
        what = f"{told}; {len(labels.proposals)} more have proposals that nobody accepted"
        yield warning(LABELS, "spread", what, "look at them in 'train label' (J), or leave them")


def _images(
    project: Project, clips: Clips, images: Sequence[Any], annotations: Sequence[Any]
) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    with_objects = {ann.get("image_id") for ann in annotations}
    for image in images:
        place = f"image {image.get('id')}"
        try:
            name, frame = bare_name(image["clip"]), count(image["frame"])
            size = (count(image["width"], 1), count(image["height"], 1))
            finite(image["t_s"])
        except (KeyError, TypeError, ValueError) as wrong:
            yield error(LABELS, place, f"its facts are incomplete ({wrong!r})", RESTORE)
            continue
        place = f"{name}, frame {frame}"
        if (name, frame) in seen:
            yield error(LABELS, place, "this frame is listed twice", "keep one of them")
        seen.add((name, frame))
        if image.get("negative") and image.get("id") in with_objects:
            what = "it is marked as empty and has objects"
            yield error(LABELS, place, what, "label this frame again")
        clip = clips.get(name)
        if clip is None:
            if not is_stills(project, name):
                remedy = "add the clip again under this name, or remove these labels"
                yield error(LABELS, place, "its clip is not in clips/clips.json", remedy)
        elif not 0 <= frame < clip.frames:
            what = f"the clip has {clip.frames} frames, counted from 0"
            yield error(LABELS, place, what, "remove this label, or put back the clip it is of")
        elif size != clip.size_wh:
            what = f"it was labelled at {size[0]}x{size[1]}, the clip is {_by(clip.size_wh)}"
            yield error(LABELS, place, what, "put back the clip that was labelled")
        yield from _picture(project, name, frame, size)


def _picture(project: Project, clip: str, frame: int, size: tuple[int, int]) -> Iterator[Problem]:
    path = project.labels_dir / picture_name(clip, frame)
    name = path.relative_to(project.root).as_posix()
    remedy, code = "'train check --fix' reads it from the clip again", "picture"
    if is_stills(project, clip):  # which no clip holds
        remedy, code = "put the picture back, as PNG, or 'train remove' it", ""
    if not path.is_file():
        yield error(name, "", "the picture of a labelled frame is missing", remedy, code)
        return
    found = png_size(path.read_bytes())
    if found is None:
        if code:  # pictures of sets are looked at in check, labelled or not
            yield error(name, "", "it cannot be read", remedy, code)
    elif found != size:
        what = f"it is {_by(found)}, the label says {_by(size)}"
        yield error(name, "", what, remedy, code)


def _annotations(
    project: Project, images: Sequence[Any], annotations: Sequence[Any]
) -> Iterator[Problem]:
    by_id = {image.get("id"): image for image in images}
    counts: Counter[int] = Counter()
    objects = 0
    for ann in annotations:
        place = f"annotation {ann.get('id')}"
        image = by_id.get(ann.get("image_id"))
        if image is None:
            yield error(LABELS, place, "its picture is not in the file", RESTORE)
            continue
        place = f"{image.get('clip')}, frame {image.get('frame')}, object {ann.get('object', '?')}"
        found = list(_points(project, image, ann, place))
        yield from found
        is_drawn = bool(ann.get("bbox")) and not ann.get("box_of_points")
        if is_drawn:
            yield from _box(image, ann["bbox"], place)
        if not any(p.code == "keypoints" for p in found):
            objects += 1
            counts.update(i for i, v in enumerate(ann["keypoints"][2::3]) if v)
            if not any(ann["keypoints"][2::3]) and not is_drawn:
                what = "no landmark of it is labelled, and it has no box"
                yield warning(LABELS, place, what, "label some, or delete the object")
    if objects:
        for i, name in enumerate(project.landmarks):
            if not counts[i]:
                remedy = "label it in some frames, or take it out of a new project"
                yield warning(LABELS, name, "this landmark is never labelled", remedy)


def _points(project: Project, image: Any, ann: Any, place: str) -> Iterator[Problem]:
    points = ann.get("keypoints")
    landmarks = len(project.landmarks)
    if not isinstance(points, list) or not all(map(_is_number, points)):
        yield error(LABELS, place, "its points cannot be read", RESTORE, "keypoints")
        return
    if len(points) != 3 * landmarks:
        what = f"points are missing: {len(points) / 3:g} of {landmarks}"
        yield error(LABELS, place, what, "label this object again", "keypoints")
        return
    width, height = _size_of(image)
    for name, x, y, v in zip(
        project.landmarks, points[::3], points[1::3], points[2::3], strict=True
    ):
        at = f"{place}, {name}"
        if v not in (0, 1, 2):
            yield error(LABELS, at, f"v is {v}; it must be 0, 1 or 2", "label this point again")
        elif v and not (math.isfinite(x) and math.isfinite(y)):
            yield error(LABELS, at, "it has no coordinates", "label this point again")
        elif v and not _inside(x, y, width, height):
            what = f"({x:g}, {y:g}) is outside the frame of {width}x{height}"
            make = error if v == 2 else warning
            yield make(LABELS, at, what, "move the point, or mark it as not labelled")


def _box(image: Any, bbox: Any, place: str) -> Iterator[Problem]:
    """A box that somebody drew."""
    at, again = f"{place}, box", "draw it again in the labeller (R), or delete the object"
    numbers = isinstance(bbox, list) and len(bbox) == 4
    if not numbers or not all(_is_number(a) and math.isfinite(a) for a in bbox):
        yield error(LABELS, at, "it is not four numbers", RESTORE)
        return
    x, y, w, h = bbox
    width, height = _size_of(image)
    if w <= 0 or h <= 0:
        yield error(LABELS, at, f"it has no area ({w:g} x {h:g})", again)
    elif not (_inside(x, y, width, height) and _inside(x + w, y + h, width, height)):
        apart = x > width - 1 or y > height - 1 or x + w < 0 or y + h < 0
        what = f"({x:g}, {y:g}) to ({x + w:g}, {y + h:g}) is {'' if apart else 'partly '}outside"
        make = error if apart else warning
        yield make(LABELS, at, f"{what} the frame of {width}x{height}", again)


def _is_number(value: object) -> bool:
    """Whether it is one that arrays can hold; JSON has whole numbers of any length."""
    return type(value) is float or (type(value) is int and abs(value) < 1 << 53)


def _size_of(image: Any) -> tuple[int, int]:
    """Width and height; where they are none, `_images` says so, and nothing lies outside."""
    try:
        return count(image["width"], 1), count(image["height"], 1)
    except (KeyError, TypeError, ValueError):
        return 1 << 30, 1 << 30


def _inside(x: float, y: float, width: float, height: float) -> bool:
    return -OUTSIDE <= x <= width - 1 + OUTSIDE and -OUTSIDE <= y <= height - 1 + OUTSIDE


def check_ranges(project: Project, clips: Clips) -> Iterator[Problem]:
    """ranges.csv, and how much of each gesture there is."""
    try:
        rows = range_rows(project.ranges_path)
    except UserError as wrong:
        yield error(RANGES, "", str(wrong), RESTORE)
        return
    for line, what in rows.wrong:
        yield error(RANGES, f"line {line}", what, "mend that line")
    for message in rows.messages:
        yield warning(RANGES, "", message, "nothing, if nobody needs it")
    seen: set[Range] = set()
    for r in rows.ranges:
        yield from problems_of_range(project, clips, r)
        if r in seen:
            remedy = "delete one of them, or use --fix"
            yield error(RANGES, place_of(r), "this range is there twice", remedy, "range_twice")
        seen.add(r)
    yield from _overlaps(rows.ranges)
    seconds: Counter[str] = Counter()
    for r in set(rows.ranges):
        if r.kind == "gesture":
            seconds[r.label] += max(0.0, r.end_s - r.start_s)  # type: ignore[assignment]
    for name in project.gesture_classes:
        if seconds[name] < WANTED_S:
            what = f"{seconds[name]:.1f} s of '{name}' are labelled, {WANTED_S:g} s are wanted"
            yield warning(RANGES, name, what, "label more time, in two clips at least")


def problems_of_range(project: Project, clips: Clips, r: Range) -> Iterator[Problem]:
    """What is wrong with one range, whatever the others are."""
    place = place_of(r)
    clip = clips.get(r.clip)
    if clip is None:
        what = "its clip is not in clips/clips.json"
        yield error(RANGES, place, what, "add the clip, or delete the line")
    elif r.start_s >= clip.seconds:
        what = f"it begins after the clip's end at {clip.seconds:.2f} s"
        yield error(RANGES, place, what, "correct its times")
    elif r.start_s < 0 or r.end_s > clip.seconds + BEYOND:
        what = f"it lies beyond the clip, which goes from 0 to {clip.seconds:.2f} s"
        yield error(RANGES, place, what, "shorten it, or use --fix", "range_beyond")
    if r.end_s <= r.start_s:
        what = "it ends before it starts" if r.end_s < r.start_s else "it lasts no time"
        yield error(RANGES, place, what, "correct its times")
    if r.kind == "gesture" and r.label not in project.gesture_classes:
        known = ", ".join(project.gesture_classes) or "no gestures"
        what = f"the gesture '{r.label}' is unknown; project.toml has {known}"
        yield error(RANGES, place, what, "correct the name, here or under [gestures]")
    elif r.kind == "pose" and r.label not in project.pose and not _three(r.label):
        what = f"'{r.label}' is neither a preset of project.toml nor yaw, pitch and roll"
        yield error(RANGES, place, what, "correct it, such as 'left' or '-35 0 0'")
    elif r.kind not in ("gesture", "pose"):
        yield error(RANGES, place, f"the kind '{r.kind}' is unknown", "write gesture or pose")


def _overlaps(ranges: Sequence[Range]) -> Iterator[Problem]:
    by_kind: dict[tuple[str, str], list[Range]] = {}
    for r in sorted(set(ranges), key=lambda r: (r.start_s, r.end_s, r.label)):
        if r.end_s > r.start_s:
            by_kind.setdefault((r.clip, r.kind), []).append(r)
    for found in by_kind.values():
        for a, b in pairwise(found):
            if a.overlaps(b):
                what = f"it overlaps the {b.kind} '{b.label}' from {b.start_s:g} s"
                yield error(RANGES, place_of(a), what, "shorten one of them")


def place_of(r: Range) -> str:
    """A range for people."""
    return f"{r.clip}, {r.start_s:g} to {r.end_s:g} s, {r.kind} '{r.label}'"


def _three(label: str) -> bool:
    try:
        return len([float(v) for v in label.replace(",", " ").split()]) == 3
    except ValueError:
        return False


def _twice(values: Sequence[Any]) -> list[Any]:
    return [value for value, n in Counter(map(str, values)).items() if n > 1]


def _by(size_wh: tuple[int, int]) -> str:
    return f"{size_wh[0]}x{size_wh[1]}"
