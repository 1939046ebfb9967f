"""Paint objects on the frame: labels filled, occluded points crossed rings, guesses hollow and
dashed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from tracker.outputs.skeleton import Colour, Skeleton
from tracker.types import Floats
from train.project.labels import UNSURE, ObjectLabel, box_of
from ui.label.controls import Chosen
from ui.label.edit import OCCLUDED, UNLABELLED
from ui.label.timeline import SPREAD
from ui.label.zoom import Zoom

DARK, BRIGHT, MARK = QColor(0, 0, 0, 190), QColor(255, 255, 255), QColor(255, 221, 51)
FAINT = 0.45  # opacity of a guess of which nobody is sure
LOUPE, LOUPE_OFF = 84.0, 108.0  # radius of the magnified look, and how far from the cursor


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is to be painted on the frame."""

    look: Skeleton
    names: tuple[str, ...]
    things: tuple[tuple[Chosen, ObjectLabel], ...] = ()  # those painted last are on top
    chosen: Chosen | None = None
    landmark: int | None = None
    opacity: float = 1.0
    with_names: bool = False
    with_edges: bool = True
    with_boxes: bool = True
    note: str = ""  # at the top
    banner: str = ""  # at the bottom
    mark: str = ""  # frame around the picture: '', 'labelled', 'spread' or 'negative'


def radius_of(thing: ObjectLabel, edges: Sequence[tuple[int, int]], scale: float) -> float:
    """Of its dots in widget pixels: smaller where points lie close."""
    known = thing.v > UNLABELLED
    lengths = [
        float(np.linalg.norm(thing.xy[a] - thing.xy[b])) for a, b in edges if known[a] and known[b]
    ]
    near = float(np.median(lengths)) * scale if lengths else 40.0
    return float(np.clip(0.22 * near, 2.2, 5.0))


def paint_thing(
    painter: QPainter, scene: Scene, view: Zoom, chosen: Chosen, thing: ObjectLabel, grips: bool
) -> None:
    """One object. `painter` has widget coordinates. `grips`: boxes can be dragged now."""
    is_chosen = chosen == scene.chosen
    opacity = scene.opacity * (1.0 if is_chosen or scene.chosen is None else 0.75)
    painter.setOpacity(opacity * (FAINT if thing.source == UNSURE else 1.0))
    at = [view.to_widget(float(x), float(y)) for x, y in np.nan_to_num(thing.xy)]
    known = thing.v > UNLABELLED
    box = box_of(thing)
    place = None if box is None else rect_of(view, box)
    if place is not None and scene.with_boxes:
        _paint_box(painter, place, thing, chosen, is_chosen)
        if is_chosen and grips:
            _paint_grips(painter, place)
    if scene.with_edges:
        for (a, b), colour in zip(scene.look.edges, scene.look.lines, strict=True):
            if known[a] and known[b]:
                _paint_edge(painter, at[a], at[b], _colour(colour), chosen.is_guess)
    radius = radius_of(thing, scene.look.edges, view.scale)
    for i in np.flatnonzero(known):
        _paint_point(painter, at[i], radius, _colour(scene.look.points[i]), thing.v[i] == OCCLUDED,
                     chosen.is_guess)  # fmt: skip
        if is_chosen and i == scene.landmark:
            _paint_mark(painter, at[i], radius + 4)
    marked = scene.landmark if is_chosen and scene.landmark is not None else -1
    named = is_chosen or scene.chosen is None
    order = sorted(np.flatnonzero(known), key=lambda i: i != marked)  # the chosen one goes first
    words = [i for i in order if i == marked or (scene.with_names and named)]
    _paint_names(
        painter, [(scene.names[i], at[i] + QPointF(radius + 7, -radius - 5)) for i in words]
    )
    if len(scene.things) > 1 and place is not None:
        _paint_tag(painter, chosen, place)
    painter.setOpacity(1.0)


def _paint_edge(painter: QPainter, a: QPointF, b: QPointF, colour: QColor, guess: bool) -> None:
    """A line between two landmarks, dashed and thinner where they are a guess."""
    pen = QPen(colour, 1.2 if guess else 1.8)
    if guess:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.drawLine(a, b)


def _paint_mark(painter: QPainter, at: QPointF, radius: float) -> None:
    """A ring around the landmark that is chosen."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(DARK, 4), QPen(MARK, 2)):
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)


def rect_of(view: Zoom, box_xyxy: Floats) -> QRectF:
    """Where a box is painted."""
    x0, y0, x1, y1 = (float(v) for v in box_xyxy)
    return QRectF(view.to_widget(x0, y0), view.to_widget(x1, y1))


def _paint_box(
    painter: QPainter, place: QRectF, thing: ObjectLabel, chosen: Chosen, is_chosen: bool
) -> None:
    """A line where it was drawn, dashes where it is the bounds of the points."""
    is_own = thing.box_xyxy is not None and not chosen.is_guess
    plain = SPREAD if thing.is_spread else MARK if is_chosen else BRIGHT
    pen = QPen(plain, 1.8 if is_own or thing.is_spread else 1.1)
    if not is_own:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 110), pen.widthF() + 1.6))
    painter.drawRect(place)
    painter.setPen(pen)
    painter.drawRect(place)


def _paint_grips(painter: QPainter, place: QRectF) -> None:
    """The corners, and the middles of long sides: dragging is possible along all of them."""
    at = [place.topLeft(), place.topRight(), place.bottomLeft(), place.bottomRight()]
    middle = place.center()
    if place.width() > 60:
        at += [QPointF(middle.x(), place.top()), QPointF(middle.x(), place.bottom())]
    if place.height() > 60:
        at += [QPointF(place.left(), middle.y()), QPointF(place.right(), middle.y())]
    painter.setBrush(MARK)
    painter.setPen(QPen(DARK, 1.4))
    for p in at:
        painter.drawRect(QRectF(p.x() - 3.5, p.y() - 3.5, 7, 7))


def paint_new_box(painter: QPainter, view: Zoom, box_xyxy: Floats) -> None:
    """A box while it is being drawn, and its size in pixels of the frame."""
    place = rect_of(view, box_xyxy)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(DARK, 3.6), QPen(MARK, 2)):
        painter.setPen(pen)
        painter.drawRect(place)
    w, h = box_xyxy[2] - box_xyxy[0], box_xyxy[3] - box_xyxy[1]
    paint_words(painter, f"{w:.0f} x {h:.0f}", place.topLeft() + QPointF(0, -8))


def paint_cross(painter: QPainter, at: QPointF, room: QRectF) -> None:
    """Lines through the cursor, to see what a box that begins here would touch."""
    for pen in (QPen(QColor(0, 0, 0, 120), 3), QPen(MARK, 1, Qt.PenStyle.DashLine)):
        painter.setPen(pen)
        painter.drawLine(QPointF(room.left(), at.y()), QPointF(room.right(), at.y()))
        painter.drawLine(QPointF(at.x(), room.top()), QPointF(at.x(), room.bottom()))


def _paint_point(
    painter: QPainter, at: QPointF, radius: float, colour: QColor, occluded: bool, guess: bool
) -> None:
    """Hollow where it is a guess or occluded; occluded ones have a cross inside."""
    hollow = guess or occluded
    painter.setBrush(Qt.BrushStyle.NoBrush if hollow else colour)
    painter.setPen(QPen(DARK, 3.2 if hollow else 1.4))
    painter.drawEllipse(at, radius + (0 if hollow else 0.6), radius + (0 if hollow else 0.6))
    if hollow:
        painter.setPen(QPen(colour, 1.6))
        painter.drawEllipse(at, radius, radius)
    if occluded:
        reach = radius * 0.7 + 2.5
        for side in (1, -1):
            step = QPointF(reach, side * reach)
            painter.drawLine(at - step, at + step)


def _paint_names(painter: QPainter, names: Sequence[tuple[str, QPointF]]) -> None:
    """Names beside their points; one that would lie on another is left out until there is room."""
    taken: list[QRectF] = []
    for name, at in names:
        box = words_box(painter, name, at)
        if box.right() > painter.window().width():
            at = at - QPointF(box.width() + 24, 0)  # on the other side, where the view ends
            box = words_box(painter, name, at)
        if not any(box.intersects(other) for other in taken):
            taken.append(box)
            paint_words(painter, name, at)


def _paint_tag(painter: QPainter, chosen: Chosen, place: QRectF) -> None:
    """The number of an object above its box, when there are several."""
    word = f"guess {chosen.id}" if chosen.is_guess else f"object {chosen.id}"
    paint_words(painter, word, place.topLeft() + QPointF(0, -10))


def words_box(painter: QPainter, text: str, at: QPointF) -> QRectF:
    """The dark box of words whose first letter stands at `at`."""
    metrics = QFontMetricsF(painter.font())
    width = metrics.horizontalAdvance(text) + 8
    return QRectF(at.x(), at.y() - metrics.ascent(), width, metrics.height())


def paint_words(
    painter: QPainter, text: str, at: QPointF, bold: bool = False, room: float = inf
) -> None:
    """Words on a dark box that is at most `room` pixels wide: then their end is left out."""
    painter.save()
    font = QFont(painter.font())
    font.setBold(bold)
    painter.setFont(font)
    if room < inf:
        metrics = QFontMetricsF(font)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(room - 8, 0.0))
    box = words_box(painter, text, at)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(DARK)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(BRIGHT)
    painter.drawText(at + QPointF(4, 0), text)
    painter.restore()


def paint_loupe(
    painter: QPainter, picture: QImage, view: Zoom, xy: tuple[float, float], room: QRectF
) -> None:
    """A magnified look at frame point xy, beside it, with a cross on it and nothing else."""
    at = view.to_widget(*xy)
    dx = LOUPE_OFF if at.x() + LOUPE_OFF + LOUPE < room.right() else -LOUPE_OFF
    dy = -LOUPE_OFF if at.y() - LOUPE_OFF - LOUPE > room.top() else LOUPE_OFF
    centre = at + QPointF(dx, dy)
    scale = min(max(4 * view.scale, 6.0), 24.0)
    inside = Zoom(scale, centre.x() - (xy[0] + 0.5) * scale, centre.y() - (xy[1] + 0.5) * scale)
    circle = QPainterPath()
    circle.addEllipse(centre, LOUPE, LOUPE)
    painter.save()
    painter.setClipPath(circle)
    painter.fillPath(circle, QColor(24, 24, 27))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(inside.rect((picture.width(), picture.height())), picture)
    for pen in (QPen(QColor(0, 0, 0, 120), 3), QPen(MARK, 1)):
        painter.setPen(pen)
        for a, b in ((4, LOUPE), (-4, -LOUPE)):
            painter.drawLine(centre + QPointF(a, 0), centre + QPointF(b, 0))
            painter.drawLine(centre + QPointF(0, a), centre + QPointF(0, b))
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(DARK, 5), QPen(BRIGHT, 2)):
        painter.setPen(pen)
        painter.drawEllipse(centre, LOUPE, LOUPE)


def _colour(bgr: Colour) -> QColor:
    return QColor(bgr[2], bgr[1], bgr[0])
