"""The frame, large, with its points: what the mouse does there becomes one signal per action."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from tracker.types import Image
from train.project.labels import ObjectLabel, box_of
from ui.kit.picture import AROUND, to_qimage
from ui.label.mouse import SHAPES, Grip, Sight
from ui.label.paint import Scene, paint_cross, paint_loupe, paint_new_box, paint_thing, paint_words
from ui.label.timeline import LABELLED, NEGATIVE, SPREAD
from ui.label.zoom import Zoom, fitting, framing

SLACK = 3.0  # widget pixels that a click may move without being a drag
MARKS = {"labelled": LABELLED, "negative": NEGATIVE, "spread": SPREAD}


class Canvas(QWidget):
    """Shows a frame and a scene on it. Coordinates in signals are frame pixels."""

    picked = pyqtSignal(object, object)  # Chosen, landmark or None
    dragged = pyqtSignal(object, int, float, float)  # Chosen, landmark, new place
    shoved = pyqtSignal(object, float, float)  # Chosen, way
    cycled = pyqtSignal(object, int)  # Chosen, landmark
    clicked = pyqtSignal(float, float)
    resized = pyqtSignal(object, object)  # Chosen, its new box (4,) xyxy
    drawn = pyqtSignal(object)  # a box (4,) xyxy, or None: too small

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
        self.is_drawing = False  # a drag would draw a box
        self.view = Zoom(1.0, 0.0, 0.0)
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
        if self._grip is not None and not self.sight.is_there(self._grip):
            self._grip = None
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
        box = None if thing is None else box_of(thing)
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

    def _look(self, view: Zoom) -> None:
        self.view = view.kept(self.size_wh(), self._room())
        self.update()

    def _room(self) -> tuple[float, float]:
        return float(max(self.width(), 1)), float(max(self.height(), 1))

    def _least(self) -> float:
        return 0.5 * fitting(self.size_wh(), self._room()).scale

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """What was in the middle stays there."""
        super().resizeEvent(event)
        assert event is not None
        if self._fits:
            self.fit()
        else:
            more = event.size() - event.oldSize()
            self._look(self.view.moved(QPointF(more.width() / 2, more.height() / 2)))

    # The mouse

    @property
    def sight(self) -> Sight:
        """What is painted where."""
        return Sight(self.scene, self.view, self.size_wh())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        at, button = event.position(), event.button()
        if self._image is None or self._grip is not None:
            return
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and self.is_panning):
            self._grip = Grip("picture", at, at)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left and self.is_drawing:
            self._grip = Grip("new box", at, at)
        elif button == Qt.MouseButton.RightButton:
            found = self.sight.point_at(at)
            if found is not None:
                self.cycled.emit(*found)
        elif left:
            whole = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._grip = self._grip_at(at, whole)
            if self._grip is None:
                self.clicked.emit(*self.sight.inside(*self.view.to_frame(at)))
            elif self._grip.what == "point":
                self.picked.emit(self._grip.chosen, self._grip.landmark)
            else:
                same = self._grip.chosen == self.scene.chosen
                self.picked.emit(self._grip.chosen, self.scene.landmark if same else None)

    def _grip_at(self, at: QPointF, whole: bool) -> Grip | None:
        """What is there to be held. `whole`: the object, by a point, a side, or inside its box."""
        sight = self.sight
        point = sight.point_at(at)
        if point is not None:
            return Grip("object" if whole else "point", at, at, *point)
        part = None if self.is_placing else sight.part_at(at)
        held = sight.holds(at) if whole and part is None else None
        if part is not None:
            return Grip("object" if whole else "side", at, at, part[0], part=part[1])
        return None if held is None else Grip("object", at, at, held)

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
        sight = self.sight
        if grip.what == "new box":
            self.drawn.emit(sight.box(grip))
        elif grip.is_dragged and grip.chosen is not None:
            if grip.what == "point":
                self.dragged.emit(grip.chosen, grip.landmark, *sight.goal(grip))
            elif grip.what == "side":
                self.resized.emit(grip.chosen, sight.box(grip))
            else:
                self.shoved.emit(grip.chosen, *sight.way(grip))
        self.update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        if self._image is not None and event.angleDelta().y() and self._grip is None:
            self.zoom(1.25 ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def leaveEvent(self, event: object) -> None:
        self._mouse = None
        self.update()

    def _show_cursor(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        part = None
        if self._mouse is not None and not self.is_placing:
            part = self.sight.part_at(self._mouse)
        if self.is_panning:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.is_drawing:
            shape = Qt.CursorShape.CrossCursor
        elif self._mouse is not None and self.sight.point_at(self._mouse) is not None:
            shape = Qt.CursorShape.PointingHandCursor
        elif self.is_placing:
            shape = Qt.CursorShape.CrossCursor
        elif part is not None:
            shape = SHAPES[part[1]]
        self.setCursor(shape)

    def pan_with_space(self, on: bool) -> None:
        """While Space is down the mouse moves the picture."""
        self.is_panning, self.has_panned = on, False
        self._show_cursor()

    # Painting

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
            grips = not (self.is_placing or self.is_drawing)
            for chosen, thing in self.sight.things(self._grip):
                paint_thing(painter, self.scene, self.view, chosen, thing, grips)
            self._paint_new_box(painter)
            self._paint_loupe(painter, self._image)
        for words, y in ((self.scene.note, 24.0), (self.scene.banner, self.height() - 12.0)):
            if words:
                paint_words(painter, words, QPointF(10, y), bold=True, room=self.width() - 20.0)
        painter.end()

    def _paint_new_box(self, painter: QPainter) -> None:
        grip = self._grip
        if grip is not None and grip.what == "new box" and grip.is_dragged:
            box = self.sight.box(grip)
            if box is not None:
                paint_new_box(painter, self.view, box)
        elif self.is_drawing and grip is None and self._mouse is not None:
            paint_cross(painter, self._mouse, QRectF(self.rect()))

    def _paint_loupe(self, painter: QPainter, image: QImage) -> None:
        grip, xy = self._grip, None
        if grip is not None:
            xy = self.sight.tip(grip) if grip.is_dragged else None
        elif (self.is_placing or self.is_drawing) and self._mouse is not None:
            is_free = self.is_drawing or self.sight.point_at(self._mouse) is None
            if is_free and self.view.rect(self.size_wh()).contains(self._mouse):
                xy = self.view.to_frame(self._mouse)
        if xy is not None:
            paint_loupe(painter, image, self.view, xy, QRectF(self.rect()))
