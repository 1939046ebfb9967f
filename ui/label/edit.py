"""What an action makes of a frame's label: pure functions, frame pixels, centres at integers.

Visibility is COCO's: 0 not labelled (its xy is NaN), 1 occluded, 2 visible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tracker.find.geometry import iou
from tracker.types import Floats
from train.project.labels import UNSURE, FrameLabel, ObjectLabel, box_of

UNLABELLED, OCCLUDED, VISIBLE = 0, 1, 2
WORDS = {UNLABELLED: "not labelled", OCCLUDED: "occluded", VISIBLE: "visible"}
LEAST = 2.0  # pixels, the shorter side of a box that somebody can mean
SAME = 0.3  # a guess that overlaps a labelled object by this IoU is about the same thing
# Whoever made an object: once a person changes it, it is theirs.
BY_HAND: dict[str, Any] = {"source": "user", "confidence": None, "came_from": ()}
Frames = Mapping[tuple[str, int], FrameLabel]


def empty_object(objects: Sequence[ObjectLabel], count: int) -> ObjectLabel:
    """An object with `count` landmarks of which none is labelled, under the next free number."""
    number = 1 + max((o.id for o in objects), default=0)
    xy = np.full((count, 2), np.nan, np.float32)
    return ObjectLabel(number, xy, np.zeros(count, np.uint8), None, "user")


def with_point(thing: ObjectLabel, at: int, xy: ArrayLike, seen: int = VISIBLE) -> ObjectLabel:
    """Landmark `at` lies at xy (2,) now; whoever made the object, a person has corrected it."""
    points, visibility = thing.xy.copy(), thing.v.copy()
    points[at] = np.nan if seen == UNLABELLED else xy
    visibility[at] = seen
    box = thing.box_xyxy
    if box is not None and seen > UNLABELLED and _within(box, thing, at):
        low, high = np.minimum(box[:2], points[at]), np.maximum(box[2:], points[at])
        box = np.concatenate([low, high]).astype(np.float32)
    return replace(thing, xy=points, v=visibility, box_xyxy=box, **BY_HAND)


def cycled(thing: ObjectLabel, at: int) -> ObjectLabel:
    """Landmark `at` goes from visible to occluded, from occluded to not labelled."""
    seen = int(thing.v[at])
    return with_point(thing, at, thing.xy[at], max(seen - 1, UNLABELLED))


def moved(thing: ObjectLabel, by_xy: ArrayLike) -> ObjectLabel:
    """All landmarks go the same way, and the box with them."""
    by = np.asarray(by_xy, np.float32)
    box = None if thing.box_xyxy is None else (thing.box_xyxy + np.tile(by, 2)).astype(np.float32)
    return replace(thing, xy=(thing.xy + by).astype(np.float32), box_xyxy=box, **BY_HAND)


def fitted(thing: ObjectLabel, size_wh: tuple[int, int]) -> ObjectLabel:
    """The object in a frame of this size: moved into it, and shrunk where it is larger."""
    corners, box = thing.xy[thing.v > UNLABELLED], thing.box_xyxy
    if box is not None:
        corners = np.concatenate([corners, box.reshape(2, 2)])
    most = np.array(size_wh, np.float64) - 1
    if not len(corners) or bool(((corners >= 0) & (corners <= most)).all()):
        return thing
    low = corners.min(0).astype(np.float64)
    extent = corners.max(0) - low
    share = min(1.0, float((most / np.maximum(extent, 1e-6)).min()))
    start = np.clip(low, 0, most - share * extent)

    def inside(xy: Floats) -> Floats:
        found: Floats = np.clip(start + share * (xy - low), 0, most).astype(np.float32)
        return found

    box = None if box is None else inside(box.reshape(2, 2)).reshape(4)
    return replace(thing, xy=inside(thing.xy), box_xyxy=box)


def with_box(thing: ObjectLabel, box_xyxy: ArrayLike | None) -> ObjectLabel:
    """This box (4,) is the object's from now on; None: that of its points is."""
    box = None if box_xyxy is None else np.asarray(box_xyxy, np.float32)
    return replace(thing, box_xyxy=box, **BY_HAND)


def drawn(
    a_xy: tuple[float, float], b_xy: tuple[float, float], size_wh: tuple[int, int]
) -> Floats | None:
    """The box (4,) xyxy between two corners, within the frame; None: too small to be meant."""
    most = np.array(size_wh, np.float64) - 1
    ends = np.clip(np.array([a_xy, b_xy], np.float64), 0, most)
    low, high = ends.min(0), ends.max(0)
    small = (high - low).min() < LEAST
    return None if small else np.concatenate([low, high]).astype(np.float32)


def resized(
    box_xyxy: ArrayLike, part: str, by_xy: tuple[float, float], size_wh: tuple[int, int]
) -> Floats:
    """A box whose sides named in `part` ('n' top, 's' bottom, 'w' left, 'e' right) were dragged.

    It stays in the frame and keeps LEAST pixels; a side that is dragged across the other takes its
    place.
    """
    box = np.array(box_xyxy, np.float64)
    for side, at in (("w", 0), ("n", 1), ("e", 2), ("s", 3)):
        axis = at % 2
        if side in part:
            most = size_wh[axis] - 1.0
            box[at] = np.clip(box[at] + by_xy[axis], 0.0, most)
            low, high = sorted((box[axis], box[axis + 2]))
            low = min(low, most - LEAST)
            box[axis], box[axis + 2] = low, max(high, low + LEAST)
    return box.astype(np.float32)


def kept_inside(
    box_xyxy: Floats | None, by_xy: tuple[float, float], size_wh: tuple[int, int]
) -> tuple[float, float]:
    """The way (frame pixels) that something of this extent can go without leaving the frame."""
    if box_xyxy is None:
        return by_xy
    way = []
    for axis in (0, 1):
        low, high = float(box_xyxy[axis]), float(box_xyxy[axis + 2])
        room = min(-low, 0.0), max(size_wh[axis] - 1 - high, 0.0)
        way.append(min(max(by_xy[axis], room[0]), room[1]))
    return way[0], way[1]


def next_unlabelled(thing: ObjectLabel, after: int) -> int | None:
    """The first landmark beyond `after` that has no place yet, from the start again if need be."""
    count = len(thing.v)
    for step in range(1, count + 1):
        at = (after + step) % count
        if thing.v[at] == UNLABELLED:
            return at
    return None


def is_empty(thing: ObjectLabel) -> bool:
    """Is neither a landmark labelled nor a box drawn?"""
    return thing.box_xyxy is None and not bool((thing.v > UNLABELLED).any())


def placed(objects: Sequence[ObjectLabel], thing: ObjectLabel) -> tuple[ObjectLabel, ...]:
    """The objects with this one in the place of the one with its number, or at the end."""
    if any(o.id == thing.id for o in objects):
        return tuple(thing if o.id == thing.id else o for o in objects)
    return (*objects, thing)


def numbered(objects: Sequence[ObjectLabel], others: Sequence[ObjectLabel]) -> list[ObjectLabel]:
    """The same objects, as labels; those whose number is among those of `others` get the next free
    one.
    """
    taken, found = {o.id for o in others}, list[ObjectLabel]()
    for thing in objects:
        number = thing.id if thing.id not in taken else 1 + max(taken)
        taken.add(number)
        source = "model" if thing.source == UNSURE else thing.source
        found.append(replace(thing, id=number, source=source))
    return found


def still_open(guesses: Sequence[ObjectLabel], label: FrameLabel | None) -> list[ObjectLabel]:
    """The guesses that the label says nothing about; none where there is nothing to be found.

    One of which nobody is sure is a place to begin: where somebody has begun it goes.
    """
    if label is None:
        return list(guesses)
    if label.negative:
        return []
    guesses = [g for g in guesses if g.source != UNSURE or not label.objects]
    boxes = [box_of(o) for o in label.objects]
    return [g for g in guesses if all(overlap(box_of(g), box) < SAME for box in boxes)]


def overlap(a: Floats | None, b: Floats | None) -> float:
    """Intersection over union of two boxes (4,) xyxy; 0 where there is none."""
    return 0.0 if a is None or b is None else float(iou(a, b[None])[0])


def labelled_frames(frames: Frames, clip: str) -> list[int]:
    """Which frames of a clip have a label, in order."""
    return sorted(frame for name, frame in frames if name == clip)


def before(numbers: Sequence[int], frame: int) -> int | None:
    """The last of some sorted frame numbers that comes before `frame`."""
    return max((n for n in numbers if n < frame), default=None)


def beyond(numbers: Sequence[int], frame: int) -> int | None:
    """The first of some sorted frame numbers that comes after `frame`."""
    return min((n for n in numbers if n > frame), default=None)


def difference(old: Frames, new: Frames) -> tuple[str, int] | None:
    """A frame whose label is not the same in both; None where all are."""
    for key in [*new, *old]:
        if new.get(key) is not old.get(key):
            return key
    return None


def _within(box: Floats, thing: ObjectLabel, at: int) -> bool:
    """Was a landmark new or in the box? Then the box goes on holding it."""
    x, y = thing.xy[at]
    known = thing.v[at] > UNLABELLED
    return not known or bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])
