"""Where the project's object is in frames that nobody labelled: three ways, as far as they go.

A model that knows the landmarks (or the project's among others) gives their crop at once. One that
knows others of the same hand or face gives its own crop, and the labelled frames tell how the
wanted one lies to it. Without any model, boxes are taken from between two labelled frames.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tracker.config import TrackerConfig
from tracker.find.geometry import box_from_landmarks, rotation
from tracker.find.head_pose import wrap_degrees
from tracker.find.locate import Model, is_plausible, locate
from tracker.sources.picture_file import load_picture
from tracker.track import Tracker
from tracker.types import CropBox, Floats, Frame, Image
from train.data.pictures import Example
from train.project.labels import FrameLabel, Labels
from train.project.layout import Project
from train.project.object_crops import KEPT_PRESENCE, TURNS, crop_of, is_turned

Look = Callable[[Frame], list[CropBox]]
FEWEST = 3  # labelled objects that must be seen to tell how two crops lie to each other
REACH = 3.0  # s between two labelled frames within which boxes are taken from between them
MOST_OBJECTS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """The wanted crop in terms of another: shift in its sides along its axes, scale, turn."""

    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    turn: float = 0.0  # degrees

    def of(self, box: CropBox) -> CropBox:
        """The wanted crop."""
        centre = box.centre_xy + rotation(box.angle) @ np.array(self.shift) * box.side
        angle = wrap_degrees(box.angle + self.turn)
        return CropBox(centre.astype(np.float32), box.side * self.scale, angle)


def new_tracker(project: Project, model: Model) -> Tracker:
    """A tracker of the project's kind alone, with this model, no smoothing."""
    kind = project.kind
    config = TrackerConfig(
        hands=kind == "hand", faces=kind == "face", objects=kind == "object",
        max_hands=MOST_OBJECTS, max_faces=MOST_OBJECTS, smooth="off",
    )  # fmt: skip
    return Tracker(config, {kind: model})


def turn_in_box(
    project: Project, model: Model, labels: Labels, bgr: Image, box_xyxy: Floats
) -> float:
    """Degrees by which the object in a box (4,) of a picture is turned, as the model sees it.

    The box is looked at in four turns. 0 where nothing is seen in it, or crops are never turned.
    """
    kind, rule = model.info.kind, model.info.crop
    if not is_turned(kind, rule):
        return 0.0
    corners = np.asarray(box_xyxy, np.float32).reshape(2, 2)
    found = locate(bgr, [box_from_landmarks(kind, corners, t, rule) for t in TURNS], model)
    best = max(found, key=lambda f: f.presence * float(np.mean(f.score)))
    if best.presence < KEPT_PRESENCE or not is_plausible(best, bgr):
        return 0.0
    return float(wrap_degrees(_finder(project, model, labels)(best.xy).angle))


def turned(
    project: Project, model: Model, labels: Labels, examples: Sequence[Example]
) -> list[Example]:
    """The same examples; those that are cut by their drawn box turn with the object."""
    out = []
    for e in examples:
        picture = load_picture(e.path) if e.by_box and e.box_xyxy is not None else None
        if picture is not None and e.box_xyxy is not None:
            e = replace(e, angle=turn_in_box(project, model, labels, picture, e.box_xyxy))
        out.append(e)
    return out


def own_box(project: Project, xy: Floats) -> CropBox:
    """The crop that the project's rule puts around its landmarks (K, 2), NaN where unknown."""
    return box_from_landmarks(project.kind, xy, rule=project.crop)


def by_model(project: Project, model: Model, labels: Labels) -> Look:
    """Follow the object with a model through the frames of one clip."""
    tracker = new_tracker(project, model)
    find = _finder(project, model, labels)

    def look(frame: Frame) -> list[CropBox]:
        assert frame.bgr is not None
        return [find(t.xy_raw) for t in tracker.process(frame.bgr, frame.t).tracks]

    return look


def _finder(project: Project, model: Model, labels: Labels) -> Callable[[Floats], CropBox]:
    names = model.info.landmarks
    if set(project.landmarks) <= set(names):
        at = [names.index(n) for n in project.landmarks]
        return lambda xy: own_box(project, xy[at])
    relation = relate(project, model, labels)
    return lambda xy: relation.of(box_from_landmarks(project.kind, xy, rule=model.info.crop))


def relate(project: Project, model: Model, labels: Labels) -> Relation:
    """Medians over labelled frames of how the project's crop lies to the model's."""
    rows = []
    for frame, bgr in _labelled_pictures(project, labels):
        tracker = new_tracker(project, model)
        tracker.process(bgr, 0.0)
        tracks = tracker.process(bgr, 0.05).tracks
        theirs = [box_from_landmarks(project.kind, t.xy_raw, rule=model.info.crop) for t in tracks]
        for found in frame.objects:
            if (found.v > 0).sum() < 2 or not theirs:
                continue
            xy = np.where(found.v[:, None] > 0, found.xy, np.nan).astype(np.float32)
            ours = own_box(project, xy)
            near = min(theirs, key=lambda b: float(np.linalg.norm(b.centre_xy - ours.centre_xy)))
            shift = rotation(-near.angle) @ (ours.centre_xy - near.centre_xy) / near.side
            if np.linalg.norm(shift) < 1:
                turn = wrap_degrees(ours.angle - near.angle)
                rows.append((*shift, np.log(ours.side / near.side), turn))
    if len(rows) < FEWEST:
        return Relation()
    x, y, scale, turn = np.median(np.array(rows), 0)
    return Relation((float(x), float(y)), float(np.exp(scale)), float(turn))


def _labelled_pictures(
    project: Project, labels: Labels, most: int = 60
) -> Iterator[tuple[FrameLabel, Image]]:
    frames = [f for _, f in sorted(labels.frames.items()) if f.objects]
    for frame in frames[:: max(1, len(frames) // most)]:
        path = project.frames_dir / Path(frame.clip).stem / f"frame{frame.frame:06d}.png"
        bgr = load_picture(path)
        if bgr is not None:
            yield frame, bgr


def between_labels(project: Project, labels: Labels, clip: str) -> Look:
    """Boxes on the straight line between those of two labelled frames with one object each."""
    frames = sorted(
        (f for f in labels.frames.values() if f.clip == clip and len(f.objects) == 1),
        key=lambda f: f.t,
    )
    known: list[tuple[float, CropBox]] = []
    for f in frames:
        box = crop_of(project, f.objects[0])
        if box is not None:
            known.append((f.t, box))
    return lambda frame: _between(known, frame.t)


def _between(known: Sequence[tuple[float, CropBox]], t: float) -> list[CropBox]:
    at = bisect_left([k[0] for k in known], t)
    if at == 0 or at == len(known):
        return []
    (t0, a), (t1, b) = known[at - 1], known[at]
    if t1 - t0 > REACH:
        return []
    w = (t - t0) / (t1 - t0)
    centre = ((1 - w) * a.centre_xy + w * b.centre_xy).astype(np.float32)
    side = float(np.exp((1 - w) * np.log(a.side) + w * np.log(b.side)))
    return [CropBox(centre, side, a.angle + w * wrap_degrees(b.angle - a.angle))]
