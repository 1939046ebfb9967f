"""Labels as data, and their two files: labels.json (COCO keypoints) and ranges.csv.

labels.json is plain COCO for any tool: `v` is 0 (not labelled), 1 (labelled, hidden) or 2
(labelled, visible), pictures are relative to the file. Beyond COCO: an image's `clip`, `frame`
(from 0), `t_s` and `negative` (true: looked at, nothing here); an annotation's `source`, `object`
(its number in the frame) and `box_of_points` (true: nobody drew the box). `info` says up to which
action of the journal the file goes, and which frame was edited last.

What spreading placed is never among labels by hand: an annotation of it has the `source` 'spread',
a `confidence` for each landmark and `came_from`, the labelled frames from which it was followed. As
long as nobody accepted it, it is a proposal, and stands apart in `spread` (images and annotations
as above; `done`: which stretches were gone through), where readers of COCO do not see it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError
from tracker.find.geometry import bounds_xyxy
from tracker.plain_data import bare_name, count, finite, from_json
from tracker.types import Floats
from tracker.whole_files import read_text
from train.project.layout import Project

SCHEMA = 1
SPREAD = "spread"  # the source of what was followed from a label of another frame
UNSURE = "unsure"  # the source of a guess of which nobody is sure; accepted, it is the model's
RANGE_COLUMNS = ("clip", "start_s", "end_s", "kind", "label")
MOST_RANGES = 20_000  # lines of a ranges.csv
DIGITS = 3  # of a pixel, in files
TIME_DIGITS = 6  # of a second, in files and in what is read of them
FARTHEST = 1e7  # pixels; what lies beyond is no point of a picture
Key = tuple[str, int]  # clip, frame


@dataclass(frozen=True, slots=True, eq=False)
class ObjectLabel:
    """One labelled object of a frame."""

    id: int  # number within the frame
    xy: Floats  # (K, 2) frame pixels, NaN where v == 0
    v: NDArray[np.uint8]  # (K,) 0 not labelled, 1 labelled but hidden, 2 labelled and visible
    box_xyxy: Floats | None  # (4,) frame pixels; None: none was drawn
    source: str  # 'user', 'model', 'mediapipe', 'import:...' or SPREAD
    confidence: Floats | None = None  # (K,) [0, 1], of what spreading placed; None: a label by hand
    came_from: tuple[int, ...] = ()  # the labelled frames from which it was followed

    @property
    def is_spread(self) -> bool:
        """Whether it was followed from a label of another frame, and no person has changed it."""
        return self.source == SPREAD


@dataclass(frozen=True, slots=True, eq=False)
class FrameLabel:
    """What is labelled in one frame. `negative`: somebody looked, and nothing is here."""

    clip: str
    frame: int  # decode order, from 0
    t: float  # seconds
    size_wh: tuple[int, int]
    objects: tuple[ObjectLabel, ...]
    negative: bool = False

    @property
    def key(self) -> Key:
        """Clip and frame number."""
        return self.clip, self.frame

    @property
    def is_spread(self) -> bool:
        """Whether all that is labelled was followed from labels of other frames."""
        return bool(self.objects) and all(o.is_spread for o in self.objects)


@dataclass(frozen=True, slots=True)
class Range:
    """A stretch of a clip with one gesture or pose; its times are rounded as in files."""

    clip: str
    start_s: float
    end_s: float
    kind: str  # 'gesture' or 'pose'
    label: str  # a gesture's name; a pose preset's name, or yaw, pitch, roll in degrees

    def __post_init__(self) -> None:
        for name in ("start_s", "end_s"):
            object.__setattr__(self, name, round(float(getattr(self, name)), TIME_DIGITS))

    def within(self, seconds: float) -> Range:
        """Cut at the ends of a clip of this length."""
        return replace(self, start_s=max(self.start_s, 0.0), end_s=min(self.end_s, seconds))

    def overlaps(self, other: Range) -> bool:
        """Whether both say something about the same time; touching ends do not."""
        same = (self.clip, self.kind) == (other.clip, other.kind)
        return same and min(self.end_s, other.end_s) - max(self.start_s, other.start_s) > 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Everything that is labelled in a project, and what spreading proposes besides.

    `proposals` are of frames without a label; `spread` names the stretches that were gone through.
    """

    frames: Mapping[Key, FrameLabel] = field(default_factory=dict)
    ranges: tuple[Range, ...] = ()
    proposals: Mapping[Key, FrameLabel] = field(default_factory=dict)
    spread: frozenset[str] = frozenset()

    def by_hand(self) -> dict[Key, FrameLabel]:
        """The frames of which a person or an import said what is on them."""
        return {key: f for key, f in self.frames.items() if not f.is_spread}

    def proposals_of(self, clip: str, span: range | None = None) -> list[Key]:
        """The frames of a clip (and of a stretch) that have proposals, in order."""
        keys = (k for k in self.proposals if k[0] == clip and (span is None or k[1] in span))
        return sorted(keys)


@dataclass(frozen=True, slots=True)
class Stand:
    """Up to which action of which journal a labels.json goes."""

    generation: str = ""
    seq: int = 0
    last: Key | None = None  # the frame that was edited last, where people go on


def picture_name(clip: str, frame: int) -> str:
    """The picture of a labelled frame, relative to labels/."""
    return f"frames/{Path(clip).stem}/frame{frame:06d}.png"


def read_coco(project: Project) -> tuple[Labels, Stand]:
    """labels.json alone, and how far it goes; nothing when it is missing. UserError as above."""
    path = project.labels_path
    if not path.is_file():
        return Labels(), Stand()
    try:
        coco = from_json(read_text(path))
    except ValueError as error:
        raise UserError(
            f"{path} is damaged ({error}); put the newest of {project.backup_dir} in its place"
        ) from error
    info = coco.get("info") if isinstance(coco, dict) else None
    info = info if isinstance(info, dict) else {}
    return labels_from_coco(project, coco, str(path)), stand_of(info)


def stand_of(info: Mapping[str, Any]) -> Stand:
    """What the `info` of a labels.json says; files of other programs say nothing."""
    seq, last = info.get("seq", 0), info.get("last")
    is_key = isinstance(last, list) and [type(v) for v in last] == [str, int]
    return Stand(
        str(info.get("generation", "")), seq if isinstance(seq, int) and 0 <= seq < 2**63 else 0,
        (last[0], last[1]) if is_key and last is not None else None,
    )  # fmt: skip


def to_coco(project: Project, labels: Labels, stand: Stand | None = None) -> dict[str, Any]:
    """COCO keypoints, ordered by clip and frame, ids counted from 1."""
    images, annotations = _rows(labels.frames)
    info: dict[str, Any] = {"description": project.name, "schema": SCHEMA}
    if stand is not None:
        info |= {"generation": stand.generation, "seq": stand.seq}
        if stand.last is not None:
            info["last"] = list(stand.last)
    category = {
        "id": 1, "name": project.kind, "supercategory": "",
        "keypoints": list(project.landmarks),
        "skeleton": [[a + 1, b + 1] for a, b in project.edges],  # COCO counts from 1
        "flip_pairs": [list(pair) for pair in project.flip_pairs],
    }  # fmt: skip
    body = {"info": info, "images": images, "annotations": annotations, "categories": [category]}
    if labels.proposals or labels.spread:
        images, annotations = _rows(labels.proposals)
        done = sorted(labels.spread)
        body["spread"] = {"done": done, "images": images, "annotations": annotations}
    return body


def _rows(frames: Mapping[Key, FrameLabel]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images and annotations of COCO."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for key in sorted(frames):
        label = frames[key]
        width, height = label.size_wh
        images.append({
            "id": len(images) + 1, "file_name": picture_name(*key), "width": width,
            "height": height, "clip": label.clip, "frame": label.frame,
            "t_s": round(label.t, TIME_DIGITS), "negative": label.negative,
        })  # fmt: skip
        for found in label.objects:
            head = {"id": len(annotations) + 1, "image_id": len(images), "category_id": 1}
            annotations.append(head | _annotation(found))
    return images, annotations


def coco_bytes(project: Project, labels: Labels, stand: Stand | None = None) -> bytes:
    """`to_coco` as it is written to a labels.json."""
    coco = to_coco(project, labels, stand)
    return (json.dumps(coco, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def labels_from_coco(project: Project, coco: object, origin: str = "labels") -> Labels:
    """What `to_coco` was given, without ranges; files of before there was spreading have none.

    UserError says what of `origin` is wrong, and how to mend it.
    """
    try:
        assert isinstance(coco, dict)
        refuse_other_markup(project, coco["categories"], origin)
        frames = _frames(coco, len(project.landmarks))
        spread = coco.get("spread")
        if spread is None:
            return Labels(frames)
        proposals = _frames(spread, len(project.landmarks))
        kept = {key: found for key, found in proposals.items() if key not in frames}
        return Labels(frames, (), kept, frozenset(str(name) for name in spread["done"]))
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{origin} is not a label file of a project ({error!r}); restore a backup, or read "
            "other files with 'train import'"
        ) from error


def _frames(coco: Mapping[str, Any], landmarks: int) -> dict[Key, FrameLabel]:
    objects: dict[int, list[ObjectLabel]] = {}
    for ann in coco["annotations"]:
        found = objects.setdefault(ann["image_id"], [])
        found.append(_object(ann, landmarks, len(found) + 1))
    frames = {}
    for image in coco["images"]:
        label = FrameLabel(
            bare_name(image["clip"]), count(image["frame"]), seconds(image["t_s"]),
            (count(image["width"], 1), count(image["height"], 1)),
            tuple(objects.get(image["id"], ())), bool(image.get("negative", False)),
        )  # fmt: skip
        frames[label.key] = label
    return frames


def refuse_other_markup(project: Project, categories: Any, origin: str) -> None:
    """UserError when the landmarks of a label file are not those of project.toml."""
    names = tuple(categories[0]["keypoints"])
    if names == project.landmarks:
        return
    many = len(project.landmarks)
    at = next((i for i, (a, b) in enumerate(zip(names, project.landmarks, strict=False)) if a != b),
              min(len(names), many))  # fmt: skip
    theirs = names[at] if at < len(names) else "nothing"
    ours = project.landmarks[at] if at < many else "nothing"
    raise UserError(
        f"{origin} labels {len(names)} landmarks and project.toml names {many}: number {at} is "
        f"'{theirs}' there and '{ours}' here; put back the names of project.toml, or begin a new "
        "project"
    )


def object_to_json(found: ObjectLabel) -> dict[str, Any]:
    """One object as the journal writes it; `object_from_json` reads it."""
    return _annotation(found)


def object_from_json(found: Mapping[str, Any], landmarks: int) -> ObjectLabel:
    """ValueError, KeyError or TypeError when it is none with `landmarks` landmarks."""
    return _object(found, landmarks, 1)


def box_of(found: ObjectLabel) -> Floats | None:
    """The box (4,) xyxy that was drawn, else the bounds of the points; None: neither is there."""
    given = found.xy[found.v > 0]
    return found.box_xyxy if found.box_xyxy is not None or not len(given) else bounds_xyxy(given)


def _annotation(found: ObjectLabel) -> dict[str, Any]:
    points: list[float | int] = []
    for (x, y), v in zip(found.xy.tolist(), found.v.tolist(), strict=True):
        points += [round(x, DIGITS), round(y, DIGITS), v] if v else [0, 0, 0]
    box = box_of(found)
    x0, y0, x1, y1 = (0.0, 0.0, 0.0, 0.0) if box is None else (float(a) for a in box)
    body: dict[str, Any] = {
        "keypoints": points, "num_keypoints": int((found.v > 0).sum()),
        "bbox": [round(a, DIGITS) for a in (x0, y0, x1 - x0, y1 - y0)],
        "area": round((x1 - x0) * (y1 - y0), DIGITS), "iscrowd": 0,
        "source": found.source, "object": found.id,
    }  # fmt: skip
    if found.box_xyxy is None:
        body["box_of_points"] = True  # COCO wants a box; nobody drew this one
    if found.confidence is not None:
        sure = np.round(found.confidence.astype(np.float64), DIGITS).tolist()
        body |= {"confidence": sure, "came_from": list(found.came_from)}
    return body


def _object(ann: Mapping[str, Any], landmarks: int, number: int) -> ObjectLabel:
    try:
        points = np.asarray(ann["keypoints"], np.float64).reshape(-1, 3)
    except OverflowError as error:  # a whole number of hundreds of digits
        raise ValueError(f"annotation {ann.get('id')} has a point without coordinates") from error
    if len(points) != landmarks:
        raise ValueError(f"annotation {ann.get('id')} has {len(points)} landmarks, not {landmarks}")
    if not np.isin(points[:, 2], (0, 1, 2)).all():
        raise ValueError(f"annotation {ann.get('id')} has a v that is not 0, 1 or 2")
    v = points[:, 2].astype(np.uint8)
    if not (np.abs(points[v > 0, :2]) < FARTHEST).all():
        raise ValueError(f"annotation {ann.get('id')} has a point without coordinates")
    points[v == 0, :2] = np.nan
    xy = points[:, :2].astype(np.float32)
    box = None
    if ann.get("bbox") and not ann.get("box_of_points"):
        x, y, w, h = (finite(a) for a in ann["bbox"])
        ends = np.array([x, y, x + w, y + h])
        if not (np.abs(ends) < FARTHEST).all():
            raise ValueError(f"annotation {ann.get('id')} has a box without coordinates")
        box = ends.astype(np.float32)
    at = count(ann.get("object", number))
    source, sure = str(ann.get("source", "user")), ann.get("confidence")
    if source != SPREAD or sure is None:
        return ObjectLabel(at, xy, v, box, source)
    if len(sure) != landmarks:
        raise ValueError(f"annotation {ann.get('id')} has {len(sure)} confidences")
    confidence = np.array([finite(c, 0.0, 1.0) for c in sure], np.float32)
    came_from = tuple(count(frame) for frame in ann.get("came_from", ()))
    return ObjectLabel(at, xy, v, box, source, confidence, came_from)


def seconds(value: object) -> float:
    """A time as files keep it. ValueError: it is none."""
    return round(finite(value), TIME_DIGITS)


def ordered(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The order in which ranges are written."""
    return tuple(sorted(ranges, key=lambda r: (r.clip, r.start_s, r.end_s, r.kind, r.label)))


def ranges_to_csv(ranges: Sequence[Range]) -> str:
    """The text of ranges.csv: seconds with a point, a comma between columns."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(RANGE_COLUMNS)
    for r in ordered(ranges):
        rows.writerow([r.clip, r.start_s, r.end_s, r.kind, r.label])
    return text.getvalue()


@dataclass(frozen=True, slots=True)
class RangeRows:
    """What a ranges.csv holds; `wrong` are (line, what) that could not be read."""

    ranges: tuple[Range, ...] = ()
    wrong: tuple[tuple[int, str], ...] = ()
    messages: tuple[str, ...] = ()


def whole_rows(path: Path) -> RangeRows:
    """`range_rows` of a file without a wrong line. UserError with the first one."""
    rows = range_rows(path)
    if rows.wrong:
        line, what = rows.wrong[0]
        raise UserError(f"{path}, line {line}: {what}; mend that line")
    return rows


def delimiter_of(first: str) -> str:
    """Semicolons, as spreadsheets write where 1,5 is a number, or commas, by the first line."""
    return ";" if ";" in first and "," not in first else ","


def range_rows(path: Path) -> RangeRows:
    """Read tolerantly: a header is needed, columns in any order, more columns are left out.

    UserError when there is no such header.
    """
    if not path.is_file():
        return RangeRows()
    text = read_text(path)
    delimiter = delimiter_of(text.split("\n", 1)[0])
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(table.line_num, row) for row in table]
    except csv.Error as error:
        raise UserError(f"{path} is no CSV file: {error}; restore a backup") from error
    if len(rows) > MOST_RANGES:
        raise UserError(
            f"{path} has {len(rows)} lines, {MOST_RANGES} at most are read; take some out"
        )
    header = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    missing = [name for name in RANGE_COLUMNS if name not in header]
    if missing:
        raise UserError(
            f"{path} has no column '{missing[0]}'; its first line must be {','.join(RANGE_COLUMNS)}"
        )
    place = [header.index(name) for name in RANGE_COLUMNS]
    ranges: list[Range] = []
    wrong: list[tuple[int, str]] = []
    for line, row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        cells = [row[i].strip() if i < len(row) else "" for i in place]
        try:
            start, end = (_seconds(cell, delimiter == ";") for cell in cells[1:3])
        except ValueError:
            wrong.append((line, f"'{cells[1]}' to '{cells[2]}' are not seconds, such as 1.25"))
            continue
        ranges.append(Range(cells[0], start, end, cells[3].lower(), cells[4]))
    extra = [name for name in header if name not in RANGE_COLUMNS and name]
    messages = (f"{path.name}: column '{name}' is unknown and left out" for name in extra)
    return RangeRows(ordered(ranges), tuple(wrong), tuple(messages))


def _seconds(cell: str, comma: bool) -> float:
    return finite(cell.replace(",", ".") if comma else cell)
