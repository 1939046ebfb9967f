"""Where labelled objects are, and where those of other frames should be."""

from __future__ import annotations

import numpy as np

from tracker.find.geometry import box_from_landmarks
from tracker.types import CropBox, CropRule, Kind
from train.project.labels import FrameLabel, ObjectLabel
from train.project.layout import Project

TURNS = (0.0, 90.0, 180.0, 270.0)  # degrees in which a box is looked at: it tells no turn
KEPT_PRESENCE = 0.3  # from which a crop shows the object


def is_turned(kind: Kind, rule: CropRule | None) -> bool:
    """Whether crops of a kind (or by a rule) are turned as the object is."""
    return kind != "object" if rule is None else bool(rule.across or rule.up)


def is_by_box(found: ObjectLabel) -> bool:
    """Whether the drawn box says better where an object is than its points: most are missing."""
    known = int((found.v > 0).sum())
    return found.box_xyxy is not None and known < max(2.0, len(found.v) / 2)


def crop_of(project: Project, found: ObjectLabel) -> CropBox | None:
    """The crop of a labelled object: around its points or, upright, around the drawn box.

    None where there are neither two points nor a box.
    """
    known = found.v[:, None] > 0
    if known.sum() >= 2 and not is_by_box(found):
        xy = np.where(known, found.xy, np.nan)
        return box_from_landmarks(project.kind, xy, rule=project.crop)
    return None if found.box_xyxy is None else crop_of_box(project.kind, found, project.crop)


def crop_of_box(
    kind: Kind, found: ObjectLabel, rule: CropRule | None, turn: float = 0.0
) -> CropBox:
    """The crop around the box that was drawn, turned by degrees; the object has one."""
    assert found.box_xyxy is not None
    return box_from_landmarks(kind, found.box_xyxy.reshape(2, 2), turn, rule)


def expected(
    before: FrameLabel | None, after: FrameLabel | None, t: float
) -> tuple[ObjectLabel, ...]:
    """Where the objects of the labelled neighbours should be at time t: between them where both
    have the object (by id), else where the nearer one has it.
    """
    if before is None or after is None:
        one = before or after
        return () if one is None else one.objects
    share = float(np.clip((t - before.t) / max(after.t - before.t, 1e-9), 0, 1))
    near, far = (before, after) if share <= 0.5 else (after, before)
    others = {o.id: o for o in far.objects}
    found = []
    for o in near.objects:
        other = others.get(o.id)
        if other is not None:
            a, b = (o, other) if near is before else (other, o)
            xy = (a.xy + share * (b.xy - a.xy)).astype(np.float32)
            xy = np.where(np.isfinite(xy), xy, o.xy).astype(np.float32)
            box = None
            if a.box_xyxy is not None and b.box_xyxy is not None:
                box = (a.box_xyxy + share * (b.box_xyxy - a.box_xyxy)).astype(np.float32)
            o = ObjectLabel(o.id, xy, o.v, box, o.source)
        found.append(o)
    return tuple(found)
