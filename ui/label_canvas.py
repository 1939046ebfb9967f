"""The frame, large, with its points: what the mouse does there becomes one signal per action."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from tracker.project.labels import ObjectLabel
from tracker.types import Image
from ui.label_desk import Chosen
from ui.label_edit import UNLABELLED, extent, moved, with_point
from ui.label_paint import Scene, paint_loupe, paint_thing, paint_words
from ui.label_view import View, fitting, framing
from ui.picture import AROUND, to_qimage

REACH = 11.0  # widget pixels from a point within which the mouse means it
SLACK = 3.0  # widget pixels that a click may move without being a drag
MARKS = {"labelled": QColor(70, 190, 110), "negative": QColor(230, 150, 50)}


@dataclass(frozen=True, slots=True)
class Grip:
    """What the mouse holds: a point, a whole object, or the picture."""

    what: Literal["point", "object", "picture"]
    start: QPointF  # widget
    at: QPointF  # widget, now
    chosen: Chosen | None = None
    landmark: int = 0
    is_dragged: bool = False


class Canvas(QWidget):
    """Shows a frame and a scene on it. Coordinates in signals are frame pixels."""

    picked = pyqtSignal(object, int)  # Chosen, landmark
    dragged = pyqtSignal(object, int, float, float)  # Chosen, landmark, new place
    shoved = pyqtSignal(object, float, float)  # Chosen, way
    cycled = pyqtSignal(object, int)  # Chosen, landmark
    clicked = pyqtSignal(float, float)

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        """Without a frame at first."""
        super().__init__(parent)
        self.setMinimumSize(320, 240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setAccessibleName("Frame with its landmarks")
        self.scene = scene
        self.is_panning = False  # Space is down
        self.has_panned = False  # and the mouse has moved the picture since
        self.is_placing = False  # a click would place a landmark
        self.view = View(1.0, 0.0, 0.0)
        self._fits = True
        self._image: QImage | None = None
        self._grip: Grip | None = None
        self._mouse: QPointF | None = None

    def set_picture(self, bgr: Image | None) -> None:
        """Show this (H, W, 3) BGR frame; a zoomed view stays where it is."""
        old = None if self._image is None else self._image.size()
        self._image = None if bgr is None else to_qimage(bgr)
        self._grip = None
        if self._image is not None and self._image.size() != old:
            self.fit()
        self.update()

    def set_scene(self, scene: Scene) -> None:
        """Paint this on the frame from now on."""
        self.scene = scene
        self.setAccessibleDescription(f"{scene.note} {scene.banner}".strip())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(900, 620)

    # Looking

    def size_wh(self) -> tuple[int, int]:
        """Of the frame, pixels."""
        return (1, 1) if self._image is None else (self._image.width(), self._image.height())

    def fit(self) -> None:
        """The whole frame."""
        self._fits = True
        self._look(fitting(self.size_wh(), self._room()))

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """Larger or smaller around the cursor, else around the middle."""
        self._fits = False
        about = about or QPointF(self.width() / 2, self.height() / 2)
        self._look(self.view.zoomed(factor, about, self._least()))

    def look_at(self, thing: ObjectLabel | None) -> None:
        """An object large; the whole frame again where it is so already, or there is none."""
        box = None if thing is None else extent(thing)
        if box is None:
            self.fit()
            return
        x0, y0, x1, y1 = (float(v) for v in box)
        wanted = framing((x0, y0, x1, y1), self._room(), self._least())
        if wanted == self.view:
            self.fit()
        else:
            self._fits = False
            self._look(wanted)

    def _look(self, view: View) -> None:
        self.view = view.kept(self.size_wh(), self._room())
        self.update()

    def _room(self) -> tuple[float, float]:
        return float(max(self.width(), 1)), float(max(self.height(), 1))

    def _least(self) -> float:
        return 0.5 * fitting(self.size_wh(), self._room()).scale

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self._fits:
            self.fit()
        else:
            self._look(self.view)

    # The mouse

    def found_at(self, at: QPointF) -> tuple[Chosen, int] | None:
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

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        at, button = event.position(), event.button()
        if self._image is None or self._grip is not None:
            return
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and self.is_panning):
            self._grip = Grip("picture", at, at)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            return
        found = self.found_at(at)
        if button == Qt.MouseButton.RightButton and found is not None:
            self.cycled.emit(*found)
        elif left and found is not None:
            whole = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._grip = Grip("object" if whole else "point", at, at, *found)
            self.picked.emit(*found)
        elif left:
            self.clicked.emit(*self._inside(*self.view.to_frame(at)))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        self._mouse = event.position()
        grip = self._grip
        if grip is None:
            self._show_cursor()
        elif grip.what == "picture":
            self._fits, self.has_panned = False, True
            self._look(self.view.moved(event.position() - grip.at))
            self._grip = replace(grip, at=event.position(), is_dragged=True)
        else:
            way = event.position() - grip.start
            is_dragged = grip.is_dragged or abs(way.x()) + abs(way.y()) > SLACK
            self._grip = replace(grip, at=event.position(), is_dragged=is_dragged)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        grip, self._grip = self._grip, None
        if grip is None:
            return
        self._show_cursor()
        if grip.is_dragged and grip.chosen is not None:
            if grip.what == "point":
                self.dragged.emit(grip.chosen, grip.landmark, *self._goal(grip))
            else:
                self.shoved.emit(grip.chosen, *self._way(grip))
        self.update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        if self._image is not None and event.angleDelta().y():
            self.zoom(1.25 ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def leaveEvent(self, event: object) -> None:
        self._mouse = None
        self.update()

    def _show_cursor(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self.is_panning:
            shape = Qt.CursorShape.OpenHandCursor
        elif self._mouse is not None and self.found_at(self._mouse) is not None:
            shape = Qt.CursorShape.PointingHandCursor
        elif self.is_placing:
            shape = Qt.CursorShape.CrossCursor
        self.setCursor(shape)

    def pan_with_space(self, on: bool) -> None:
        """While Space is down the mouse moves the picture."""
        self.is_panning, self.has_panned = on, False
        self._show_cursor()

    def _way(self, grip: Grip) -> tuple[float, float]:
        """How far it was dragged, frame pixels."""
        way = grip.at - grip.start
        return way.x() / self.view.scale, way.y() / self.view.scale

    def _goal(self, grip: Grip) -> tuple[float, float]:
        """Where the point goes: it moves as far as the mouse, and stays in the frame."""
        thing = dict(self.scene.things)[grip.chosen]  # type: ignore[index]
        (x, y), (dx, dy) = thing.xy[grip.landmark], self._way(grip)
        return self._inside(float(x) + dx, float(y) + dy)

    def _inside(self, x: float, y: float) -> tuple[float, float]:
        w, h = self.size_wh()
        return min(max(x, 0.0), w - 1.0), min(max(y, 0.0), h - 1.0)

    # Painting

    def shown_things(self) -> list[tuple[Chosen, ObjectLabel]]:
        """What is painted, with what the mouse just does to it."""
        grip, things = self._grip, list(self.scene.things)
        if grip is None or not grip.is_dragged or grip.what == "picture":
            return things
        for i, (chosen, thing) in enumerate(things):
            if chosen == grip.chosen:
                if grip.what == "object":
                    thing = moved(thing, self._way(grip))
                else:
                    seen = int(thing.v[grip.landmark])
                    thing = with_point(thing, grip.landmark, self._goal(grip), seen)
                things[i] = (chosen, thing)
        return things

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), AROUND)
        if self._image is not None:
            place = self.view.rect(self.size_wh())
            smooth = self.view.scale < 3
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, self._image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.scene.mark:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(MARKS[self.scene.mark], 3))
                painter.drawRect(place.intersected(QRectF(self.rect())).adjusted(1, 1, -2, -2))
            for chosen, thing in self.shown_things():
                paint_thing(painter, self.scene, self.view, chosen, thing)
            self._paint_loupe(painter, self._image)
        if self.scene.note:
            paint_words(painter, self.scene.note, QPointF(10, 24), bold=True)
        if self.scene.banner:
            paint_words(painter, self.scene.banner, QPointF(10, self.height() - 12.0), bold=True)
        painter.end()

    def _paint_loupe(self, painter: QPainter, image: QImage) -> None:
        grip = self._grip
        if grip is not None and grip.what == "point" and grip.is_dragged:
            paint_loupe(painter, image, self.view, self._goal(grip), QRectF(self.rect()))
        elif grip is None and self.is_placing and self._mouse is not None:
            place = self.view.rect(self.size_wh())
            if place.contains(self._mouse) and self.found_at(self._mouse) is None:
                xy = self.view.to_frame(self._mouse)
                paint_loupe(painter, image, self.view, xy, QRectF(self.rect()))
