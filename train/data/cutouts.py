"""Pictures to train on, cut from a project's clips once and kept in its cache folder.

Of every labelled object an upright, whole-pixel part of its frame, saved without loss; of sampled
other frames the turned crop that the tracker followed, with a margin for augmentation, and the
same place in the next frame. The cache may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError, writing
from tracker.find.locate import cut
from tracker.plain_data import bare_name, count, finite, from_json
from tracker.progress import Report, silent
from tracker.sources.picture_file import encoded, load_picture
from tracker.sources.video_file import VideoReader
from tracker.types import CropBox, Floats, Image
from tracker.whole_files import write_json, write_whole
from train.data.find_object import Look
from train.project.clips import Clip, ClipFrames, clip_path, read_clips
from train.project.labels import FrameLabel, Labels, ObjectLabel, picture_name
from train.project.layout import Project
from train.project.object_crops import crop_of
from train.project.stills import is_stills

MARGIN = 1.5  # side of a cut-out / side of the crop
LARGEST = 288  # pixels, side of a cut-out; a crop of 128 px never needs more than 192
LARGEST_FRAME = 1280  # pixels, longer side of a frame that is kept whole
LOOKED_AT = 6000  # frames of a clip that the tracker follows at most
VERSION = 1  # of what this file writes; raise it to have everything cut anew


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many frames of a clip are cut."""

    frames: int = 400  # spread over the clip
    in_ranges: int = 300  # and spread over the labelled time ranges of each class


@dataclass(frozen=True, slots=True)
class Cutout:
    """One followed object in one frame; the picture's middle is the crop's middle."""

    file: str  # relative to the clip's cache folder
    neighbour: str  # the same place in the next frame; '' where there is none
    frame: int
    t: float
    objects: int  # followed in this frame
    side: float  # of the crop, pixels of the cut-out


@dataclass(frozen=True, slots=True)
class ClipCutouts:
    """Everything cut from one clip."""

    folder: Path
    cutouts: tuple[Cutout, ...]
    frames: int  # looked at
    empty: int  # of these without any object


def chosen_frames(
    clip: Clip, labels: Labels, wanted: Wanted, times: NDArray[np.float64] | None = None
) -> set[int]:
    """Frame indices to cut: even over the clip, and even within each class's ranges.

    `times` (N,): seconds of every frame; None: they come at one rate.
    """

    def spread(low: int, high: int, most: int) -> list[int]:
        count = min(high - low, most)
        return np.linspace(low, high - 1, count).round().astype(int).tolist() if count > 0 else []

    chosen = set(spread(0, clip.frames, wanted.frames))
    by_class: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for r in labels.ranges:
        if r.clip == clip.name:
            if times is None:
                low = max(0, int(np.ceil(r.start_s * clip.fps)))
                high = min(clip.frames, int(np.floor(r.end_s * clip.fps)) + 1)
            else:
                low = int(np.searchsorted(times, r.start_s, "left"))
                high = int(np.searchsorted(times, r.end_s, "right"))
            by_class.setdefault((r.kind, r.label), []).append((low, high))
    for spans in by_class.values():
        total = max(1, sum(max(0, b - a) for a, b in spans))
        for a, b in spans:
            chosen |= set(spread(a, b, max(1, round(wanted.in_ranges * max(0, b - a) / total))))
    return chosen


def cache_key(clip: Clip, key: str, frames: set[int]) -> str:
    """Changes whenever other pictures would come out."""
    text = json.dumps([VERSION, clip.sha256, key, sorted(frames)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cut_clip(
    project: Project,
    clip: Clip,
    look: Look,
    key: str,
    frames: set[int],
    report: Report = silent,
) -> ClipCutouts:
    """Follow the object through a clip and cut it out of these frames; from the cache if there.

    `key` changes with whatever `look` depends on.
    """
    name = f"{Path(clip.name).stem}_{cache_key(clip, key, frames)}"
    folder = project.cache_dir / "crops" / name
    index = folder / "index.json"
    if index.is_file():
        with suppress(ValueError, LookupError, TypeError, AttributeError):  # or it is cut anew
            return _read_index(folder)
    folder.mkdir(parents=True, exist_ok=True)
    reader = VideoReader(clip_path(project, clip))
    made: list[Cutout] = []
    waiting: list[tuple[Cutout, CropBox]] = []  # for the next frame
    looked, empty = 0, 0
    stride = max(1, -(-clip.frames // LOOKED_AT))
    try:
        for frame in reader.frames():
            if frame.bgr is None:
                made += [c for c, _ in waiting]
                waiting = []
                continue
            made += [_with_neighbour(folder, c, box, frame.bgr) for c, box in waiting]
            waiting = []
            wanted = frame.index in frames
            if not wanted and frame.index % stride:
                continue
            boxes = look(frame)
            looked, empty = looked + 1, empty + (not boxes)
            if wanted:
                at = (frame.index, frame.t, len(boxes))
                waiting = [
                    (_cut(folder, box, frame.bgr, j, at), box) for j, box in enumerate(boxes)
                ]
            report(frame.index + 1, clip.frames)
        made += [c for c, _ in waiting]
    finally:
        reader.close()
    report(clip.frames, clip.frames)
    data = {"frames": looked, "empty": empty, "cutouts": [asdict(c) for c in made]}
    write_json(index, data, None)
    return _read_index(folder)


def _read_index(folder: Path) -> ClipCutouts:
    """What was cut. ValueError, LookupError or TypeError where the index is none."""
    data: Mapping[str, Any] = from_json((folder / "index.json").read_text(encoding="utf-8"))
    cutouts = tuple(Cutout(**c) for c in data["cutouts"])
    for c in cutouts:
        bare_name(c.file)
        if c.neighbour:
            bare_name(c.neighbour)
        count(c.frame), count(c.objects), finite(c.t), finite(c.side, 1.0, LARGEST)
    return ClipCutouts(folder, cutouts, count(data["frames"]), count(data["empty"]))


def _patch(bgr: Image, box: CropBox) -> tuple[Image, float]:
    """The cut-out around a crop, and the crop's side in its pixels."""
    size = int(np.clip(round(box.side * MARGIN), 32, LARGEST))
    wide = CropBox(box.centre_xy, box.side * MARGIN, box.angle)
    return cut(bgr, wide, size), size / MARGIN


def _write(path: Path, bgr: Image) -> None:
    with writing(path):
        path.write_bytes(encoded(bgr, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 95))


def _cut(folder: Path, box: CropBox, bgr: Image, number: int, at: tuple[int, float, int]) -> Cutout:
    frame, t, objects = at
    patch, side = _patch(bgr, box)
    name = f"{frame:07d}_{number}.jpg"
    _write(folder / name, patch)
    return Cutout(name, "", frame, t, objects, side)


def _with_neighbour(folder: Path, found: Cutout, box: CropBox, bgr: Image) -> Cutout:
    patch, _ = _patch(bgr, box)
    name = found.file.replace(".jpg", "n.jpg")
    _write(folder / name, patch)
    return Cutout(found.file, name, found.frame, found.t, found.objects, found.side)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A labelled object in a picture of its own: whole pixels of its frame."""

    path: Path
    xy: Floats  # (K, 2) pixels of the picture, NaN where not labelled
    label: ObjectLabel  # as it was given
    box_xyxy: Floats | None  # (4,) as drawn; None: nobody drew one


def frame_picture(project: Project, frame: FrameLabel) -> Path:
    """The picture of a labelled frame; read from its clip into the cache where it is gone: a run
    may be looked at again after its frames were unlabelled. UserError: the clip is gone as well.
    """
    path = project.labels_dir / picture_name(*frame.key)
    if path.is_file() or is_stills(project, frame.clip):
        return path
    clip = next((c for c in read_clips(project) if c.name == frame.clip), None)
    if clip is None:
        raise UserError(
            f"{frame.clip}, of which labels are wanted, is no longer in the project; 'train add' "
            "takes it back (what 'train remove' moved is in removed/)"
        )
    again = project.cache_dir / "frames" / clip.sha256[:16] / path.name
    if not again.is_file() and frame.frame < clip.frames:
        with ClipFrames(project, clip) as frames:
            bgr = frames.frame(frame.frame).bgr
        if bgr is not None and bgr.shape[1::-1] == frame.size_wh:
            with writing(again):
                again.parent.mkdir(parents=True, exist_ok=True)
            write_whole(again, encoded(bgr))
    return again if again.is_file() else path


def cut_labelled(
    project: Project, frame: FrameLabel, picture: Path, folder: Path
) -> Iterator[Part]:
    """Each object that has two points or a drawn box, to be cut from a labelled frame.

    Of things that no detector finds the whole frame is kept, to learn finding them in it.
    Only where the object is much larger than any crop is the part made smaller.
    """
    bgr = load_picture(picture)
    if bgr is None:
        raise UserError(f"{picture} cannot be read; 'train check' tells what can be done")
    yield from cut_objects(project, frame, bgr, folder)


def cut_objects(project: Project, frame: FrameLabel, bgr: Image, folder: Path) -> Iterator[Part]:
    """`cut_labelled` of a frame (H, W, 3) that is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    height, width = bgr.shape[:2]
    for found in frame.objects:
        box = crop_of(project, found)
        if box is None:
            continue
        xy = np.where(found.v[:, None] > 0, found.xy, np.nan)
        reach = box.side * MARGIN * 0.7072
        low = np.clip(np.floor(box.centre_xy - reach), 0, (width - 1, height - 1)).astype(int)
        high = np.clip(np.ceil(box.centre_xy + reach) + 1, low + 1, (width, height)).astype(int)
        part = bgr[low[1] : high[1], low[0] : high[0]]
        if project.kind == "object":  # the first look at one is at the whole frame
            low, high, part = np.zeros(2, int), np.array([width, height]), bgr
        scale = min(1.0, LARGEST / (box.side * MARGIN), LARGEST_FRAME / max(part.shape[:2]))
        if scale < 1:
            wh = np.maximum(np.round(np.array(part.shape[1::-1]) * scale), 1).astype(int)
            scale_xy = wh / np.array(part.shape[1::-1])
            smaller = cv2.resize(part, tuple(wh.tolist()), interpolation=cv2.INTER_AREA)
            part = np.asarray(smaller, np.uint8)
        else:
            scale_xy = np.ones(2)
        ends = np.empty((0, 2)) if found.box_xyxy is None else found.box_xyxy.reshape(2, 2)
        both = np.concatenate([xy, ends])
        moved = ((both - low + 0.5) * scale_xy - 0.5).astype(np.float32)  # centres at integers
        digest = hashlib.sha256(part.tobytes()).hexdigest()[:16]
        path = folder / f"{Path(frame.clip).stem}_{frame.frame:07d}_{digest}.png"
        if not path.is_file():
            write_whole(path, encoded(part))
        drawn = None if found.box_xyxy is None else moved[len(xy) :].ravel()
        yield Part(path, moved[: len(xy)], found, drawn)
