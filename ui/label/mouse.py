"""What the mouse means on the frame, and what it makes of what it holds. Nothing is changed here.

Points go before boxes, and what belongs to the chosen object before anything else. A part of a box
is named after the sky: 'w' is the left side, 'ne' the corner at the top right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PyQt6.QtCore import QPointF, Qt

from tracker.types import Floats
from train.project.labels import ObjectLabel, box_of
from ui.label.controls import Chosen
from ui.label.edit import UNLABELLED, drawn, kept_inside, moved, resized, with_box, with_point
from ui.label.paint import Scene
from ui.label.zoom import Zoom

REACH = 11.0  # widget pixels from a point within which the mouse means it
CORNER, SIDE = 9.0, 5.0  # the same of a box's corners and sides
SHAPES = {
    "n": Qt.CursorShape.SizeVerCursor, "s": Qt.CursorShape.SizeVerCursor,
    "w": Qt.CursorShape.SizeHorCursor, "e": Qt.CursorShape.SizeHorCursor,
    "nw": Qt.CursorShape.SizeFDiagCursor, "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor, "sw": Qt.CursorShape.SizeBDiagCursor,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grip:
    """What the mouse holds: a point, part of a box, a new box, a whole object, or the picture."""

    what: Literal["point", "side", "new box", "object", "picture"]
    start: QPointF  # widget
    at: QPointF  # widget, now
    chosen: Chosen | None = None
    landmark: int = 0
    part: str = ""  # of the box
    is_dragged: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """What is painted, where, on a frame of which size."""

    scene: Scene
    view: Zoom
    size_wh: tuple[int, int]

    def point_at(self, at: QPointF) -> tuple[Chosen, int] | None:
        """The nearest point that the mouse can mean; those of the chosen object go first."""
        best: tuple[tuple[bool, float], Chosen, int] | None = None
        for chosen, thing in self.scene.things:
            for i in np.flatnonzero(thing.v > UNLABELLED):
                way = self.view.to_widget(*(float(v) for v in thing.xy[i])) - at
                far = float(np.hypot(way.x(), way.y()))
                rank = (chosen != self.scene.chosen, far)
                if far <= REACH and (best is None or rank < best[0]):
                    best = (rank, chosen, int(i))
        return None if best is None else best[1:]

    def part_at(self, at: QPointF) -> tuple[Chosen, str] | None:
        """The side or corner of a box that the mouse can mean, of the chosen object first."""
        if not self.scene.with_boxes:
            return None
        order = sorted(self.scene.things, key=lambda pair: pair[0] != self.scene.chosen)
        for chosen, thing in order:
            box = box_of(thing)
            part = "" if box is None else self._part(box, at)
            if part:
                return chosen, part
        return None

    def _part(self, box: Floats, at: QPointF) -> str:
        x0, y0, x1, y1 = (float(v) for v in box)
        low, high = self.view.to_widget(x0, y0), self.view.to_widget(x1, y1)
        left, right = abs(at.x() - low.x()), abs(at.x() - high.x())
        top, bottom = abs(at.y() - low.y()), abs(at.y() - high.y())
        near_x = "w" if left <= right else "e"
        near_y = "n" if top <= bottom else "s"
        if min(left, right) <= CORNER and min(top, bottom) <= CORNER:
            return near_y + near_x
        if min(left, right) <= SIDE and low.y() <= at.y() <= high.y():
            return near_x
        if min(top, bottom) <= SIDE and low.x() <= at.x() <= high.x():
            return near_y
        return ""

    def holds(self, at: QPointF) -> Chosen | None:
        """The chosen object, if its box is painted around this place."""
        thing = dict(self.scene.things).get(self.scene.chosen)  # type: ignore[arg-type]
        box = None if thing is None or not self.scene.with_boxes else box_of(thing)
        if box is None:
            return None
        x, y = self.view.to_frame(at)
        inside = box[0] <= x <= box[2] and box[1] <= y <= box[3]
        return self.scene.chosen if inside else None

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """The nearest place in the frame."""
        w, h = self.size_wh
        return min(max(x, 0.0), w - 1.0), min(max(y, 0.0), h - 1.0)

    def is_there(self, grip: Grip) -> bool:
        """Is what is held still painted? It may have been undone, or be on another frame."""
        thing = dict(self.scene.things).get(grip.chosen)  # type: ignore[arg-type]
        if grip.chosen is None or thing is None:
            return grip.chosen is None
        if grip.what == "point":
            return bool(thing.v[grip.landmark] > UNLABELLED)
        return box_of(thing) is not None

    # What a grip comes to

    def thing(self, grip: Grip) -> ObjectLabel:
        """The object that is held."""
        return dict(self.scene.things)[grip.chosen]  # type: ignore[index]

    def way(self, grip: Grip) -> tuple[float, float]:
        """How far it was dragged, frame pixels; a whole object stays in the frame."""
        way = grip.at - grip.start
        by = way.x() / self.view.scale, way.y() / self.view.scale
        return kept_inside(box_of(self.thing(grip)), by, self.size_wh) if grip.chosen else by

    def goal(self, grip: Grip) -> tuple[float, float]:
        """Where a point goes: it moves as far as the mouse, and stays in the frame."""
        x, y = self.thing(grip).xy[grip.landmark]
        way = grip.at - grip.start
        scale = self.view.scale
        return self.inside(float(x) + way.x() / scale, float(y) + way.y() / scale)

    def box(self, grip: Grip) -> Floats | None:
        """Which box (4,) xyxy comes of it; None where it is too small to be meant."""
        if grip.what == "new box":
            ends = (self.view.to_frame(grip.start), self.view.to_frame(grip.at))
            return drawn(*ends, self.size_wh)
        old = box_of(self.thing(grip))
        assert old is not None
        way = grip.at - grip.start
        by = way.x() / self.view.scale, way.y() / self.view.scale
        return resized(old, grip.part, by, self.size_wh)

    def tip(self, grip: Grip) -> tuple[float, float] | None:
        """The place that the mouse moves exactly, which is to be seen large."""
        if grip.what == "point":
            return self.goal(grip)
        if grip.what == "new box":
            return self.inside(*self.view.to_frame(grip.at))
        if grip.what != "side":
            return None
        box, (x, y) = self.box(grip), self.view.to_frame(grip.at)
        assert box is not None
        # The side may have been dragged across the other one.
        x = min(box[0::2], key=lambda v: abs(v - x)) if set(grip.part) & {"w", "e"} else x
        y = min(box[1::2], key=lambda v: abs(v - y)) if set(grip.part) & {"n", "s"} else y
        return self.inside(float(x), float(y))

    def things(self, grip: Grip | None) -> list[tuple[Chosen, ObjectLabel]]:
        """What is painted, with what the mouse just does to it."""
        every = list(self.scene.things)
        if grip is None or not grip.is_dragged or grip.chosen is None:
            return every
        return [(c, self._changed(grip, t) if c == grip.chosen else t) for c, t in every]

    def _changed(self, grip: Grip, thing: ObjectLabel) -> ObjectLabel:
        if grip.what == "object":
            return moved(thing, self.way(grip))
        if grip.what == "side":
            box = self.box(grip)
            return thing if box is None else with_box(thing, box)
        return with_point(thing, grip.landmark, self.goal(grip), int(thing.v[grip.landmark]))
