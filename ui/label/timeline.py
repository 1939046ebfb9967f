"""The clip as a line: labelled and suggested frames, ranges that can be dragged, where we are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from train.project.labels import Range
from ui.kit.colours import class_colour

RULER, MARKS, ROW = 18.0, 14.0, 22.0  # heights
NAMES = 72.0  # room for the names of the rows
EDGE = 6.0  # widget pixels from a range's end within which it is dragged
LABELLED, NEGATIVE, SUGGESTED = QColor(70, 190, 110), QColor(230, 150, 50), QColor(90, 150, 255)
# Spread: accepted, as high as labels; proposed, half as high, and faint where unsure.
SPREAD = QColor(190, 110, 235)
TITLES = {"gesture": "Gestures", "pose": "Head pose"}
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
GRAY = QColor(128, 128, 128)


@dataclass(frozen=True, slots=True)
class Line:
    """What the timeline shows; times in seconds."""

    seconds: float = 1.0
    t: float = 0.0
    labelled: tuple[float, ...] = ()
    negative: tuple[float, ...] = ()
    suggested: tuple[float, ...] = ()
    kinds: tuple[str, ...] = ()
    classes: tuple[tuple[str, str], ...] = ()  # (kind, class), in the order of the numbers
    ranges: tuple[Range, ...] = ()
    chosen: Range | None = None
    coming: Range | None = None  # while a number key is down
    is_stills: bool = False  # pictures with numbers, not times
    frames: int = 1
    spread: tuple[float, ...] = ()  # labels that were spread and accepted
    proposed: tuple[tuple[float, float], ...] = ()  # time, mean confidence


@dataclass(frozen=True, slots=True)
class _Grip:
    """An end of a range that the mouse holds, and where it is now."""

    range: Range
    is_end: bool
    t: float
    is_moved: bool = False

    def result(self) -> Range:
        start, end = self.range.start_s, self.range.end_s
        start, end = (start, self.t) if self.is_end else (self.t, end)
        return replace(self.range, start_s=min(start, end), end_s=max(start, end))


class TimelineView(QWidget):
    """Tells what the mouse wants; it changes nothing itself."""

    sought = pyqtSignal(float)  # seconds
    chosen = pyqtSignal(object)  # Range or None
    resized = pyqtSignal(object, float, float)  # Range, seconds, seconds
    asked = pyqtSignal(object, object)  # Range, global place: its class is to be chosen

    def __init__(self, parent: QWidget | None = None) -> None:
        """An empty line."""
        super().__init__(parent)
        self.line = Line()
        self._start, self._span = 0.0, 0.0  # what is in sight; span 0: everything
        self._grip: _Grip | None = None
        self._scrubs = False
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Timeline of the clip")
        self.setToolTip("Click: go there. Wheel: zoom. Drag the ends of a range; right click it.")

    def show_line(self, line: Line) -> None:
        """Show this; a zoomed line follows the time."""
        if line == self.line:
            return
        if line.seconds != self.line.seconds:
            self._span = 0.0
        taller = line.kinds != self.line.kinds
        self.line = line
        start, span = self._sight()
        if self._grip is None and not self._scrubs and not start <= line.t <= start + span:
            self._start = self._limited(line.t - span / 10, span)
        if taller:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(600, round(RULER + MARKS + ROW * len(self.line.kinds) + 6))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    # Where things are

    def _sight(self) -> tuple[float, float]:
        span = self._span or max(self.line.seconds, 1e-3)
        return (self._start if self._span else 0.0), span

    def _limited(self, start: float, span: float) -> float:
        return min(max(start, 0.0), max(self.line.seconds - span, 0.0))

    def x_of(self, t: float) -> float:
        """Where a time is painted."""
        start, span = self._sight()
        return NAMES + (t - start) / span * (self.width() - NAMES - 8)

    def t_of(self, x: float) -> float:
        """Which time is painted there, within the clip."""
        start, span = self._sight()
        t = start + (x - NAMES) / max(self.width() - NAMES - 8, 1) * span
        return min(max(t, 0.0), self.line.seconds)

    def row_of(self, kind: str) -> QRectF:
        """The row of a kind of ranges."""
        top = RULER + MARKS + ROW * self.line.kinds.index(kind)
        return QRectF(NAMES, top, self.width() - NAMES - 8, ROW)

    def _box(self, r: Range) -> QRectF:
        row = self.row_of(r.kind)
        left, right = self.x_of(r.start_s), self.x_of(r.end_s)
        return QRectF(left, row.top() + 2, max(right - left, 2.0), ROW - 4)

    def found_at(self, at: QPointF) -> tuple[Range, str] | None:
        """A range there, and which part of it: 'start', 'end' or 'middle'."""
        for r in (self.line.chosen, *self.line.ranges):
            if r is None or r.kind not in self.line.kinds:
                continue
            box = self._box(r)
            if not box.adjusted(-EDGE, 0, EDGE, 0).contains(at):
                continue
            reach = min(EDGE, max(box.width() / 3, 2))
            if at.x() >= box.right() - reach:
                return r, "end"
            if at.x() <= box.left() + reach:
                return r, "start"
            return r, "middle"
        return None

    # The mouse

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        found = self.found_at(event.position())
        if event.button() == Qt.MouseButton.RightButton:
            if found is not None:
                self.chosen.emit(found[0])
                self.asked.emit(found[0], event.globalPosition().toPoint())
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if found is None:
            self._scrubs = True
            self.chosen.emit(None)
            self.sought.emit(self.t_of(event.position().x()))
            return
        self.chosen.emit(found[0])
        if found[1] != "middle":
            is_end = found[1] == "end"
            self._grip = _Grip(found[0], is_end, found[0].end_s if is_end else found[0].start_s)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        t = self.t_of(event.position().x())
        if self._grip is not None:
            self._grip = replace(self._grip, t=t, is_moved=True)
            self.sought.emit(t)
            self.update()
        elif self._scrubs:
            self.sought.emit(t)
        else:
            found = self.found_at(event.position())
            edge = found is not None and found[1] != "middle"
            self.setCursor(Qt.CursorShape.SizeHorCursor if edge else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        grip, self._grip, self._scrubs = self._grip, None, False
        if grip is not None and grip.is_moved:
            new = grip.result()
            self.resized.emit(grip.range, new.start_s, new.end_s)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        self._span = 0.0
        self.update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        about = self.t_of(event.position().x())
        start, span = self._sight()
        new = min(span * 0.8 ** (event.angleDelta().y() / 120), self.line.seconds)
        new = max(new, min(0.5, self.line.seconds))
        self._start = self._limited(about - (about - start) * new / span, new)
        self._span = 0.0 if new >= self.line.seconds else new
        self.update()
        event.accept()

    # Painting

    def colour(self, kind: str, label: str) -> QColor:
        """Of a class: gray for none, else its own."""
        names = [name for k, name in self.line.classes if k == kind]
        at = names.index(label) if label in names else len(names)
        return GRAY if at == 0 else QColor(class_colour(at - 1))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        self._paint_ruler(painter, ink)
        painter.setClipRect(QRectF(NAMES - 5, 0, self.width() - NAMES, self.height()))
        self._paint_proposed(painter)
        for times, colour in (
            (self.line.spread, SPREAD), (self.line.labelled, LABELLED),
            (self.line.negative, NEGATIVE), (self.line.suggested, SUGGESTED),
        ):  # fmt: skip
            self._paint_marks(painter, times, colour)
        for r in self.line.ranges:
            if self._grip is None or r != self._grip.range:
                self._paint_range(painter, r, r == self.line.chosen)
        if self._grip is not None:
            self._paint_range(painter, self._grip.result(), True)
        if self.line.coming is not None:
            self._paint_range(painter, self.line.coming, True)
        x = self.x_of(self.line.t)
        painter.setPen(QPen(QColor(230, 60, 50), 2))
        painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - 2.0))
        painter.end()

    def _paint_ruler(self, painter: QPainter, ink: QColor) -> None:
        start, span = self._sight()
        faint = QColor(ink.red(), ink.green(), ink.blue(), 70)
        steps = [s for s in STEPS if s >= 1] if self.line.is_stills else STEPS
        step = next((s for s in steps if s / span * (self.width() - NAMES) >= 64), steps[-1])
        painter.setPen(ink)
        first = int(start / step)
        for i in range(first, int((start + span) / step) + 1):
            x = self.x_of(i * step)
            if x >= NAMES - 1:
                painter.setPen(faint)
                painter.drawLine(QPointF(x, RULER - 4), QPointF(x, self.height() - 3.0))
                painter.setPen(ink)
                words = f"{i * step:.0f}" if self.line.is_stills else _clock(i * step, step)
                if x + 3 + painter.fontMetrics().horizontalAdvance(words) <= self.width():
                    painter.drawText(QPointF(x + 3, RULER - 5), words)
        centre = Qt.AlignmentFlag.AlignVCenter
        title = "Pictures" if self.line.is_stills else "Frames"
        painter.drawText(QRectF(6, RULER, NAMES, MARKS), centre, title)
        for kind in self.line.kinds:
            row = self.row_of(kind)
            painter.fillRect(row.adjusted(0, 1, 0, -1), QColor(128, 128, 128, 40))
            painter.drawText(QRectF(6, row.top(), NAMES, ROW), centre, TITLES[kind])

    def _paint_marks(self, painter: QPainter, times: Sequence[float], colour: QColor) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for t in times:
            x, y = self.x_of(t), RULER + MARKS / 2
            if colour is SUGGESTED:
                ways = ((0, -5), (4, 0), (0, 5), (-4, 0))
                painter.drawPolygon(QPolygonF([QPointF(x + a, y + b) for a, b in ways]))
            else:
                painter.drawRect(QRectF(x - 1.5, y - 5, 3, 10))

    def _paint_proposed(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        seconds = self.line.seconds / max(self.line.frames, 1)
        width = max(self.x_of(seconds) - self.x_of(0.0), 1.5)
        for t, sure in self.line.proposed:
            painter.setBrush(QColor(SPREAD.red(), SPREAD.green(), SPREAD.blue(), _alpha(sure)))
            painter.drawRect(QRectF(self.x_of(t) - width / 2, RULER + MARKS / 2, width, 6))

    def _paint_range(self, painter: QPainter, r: Range, is_chosen: bool) -> None:
        if r.kind not in self.line.kinds:
            return
        box, colour = self._box(r), self.colour(r.kind, r.label)
        painter.setBrush(QColor(colour.red(), colour.green(), colour.blue(), 210))
        edge = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(QPen(edge, 2) if is_chosen else QPen(colour.darker(140), 1))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor(255, 255, 255))
        inside = box.adjusted(5, 0, -4, 0)
        words = painter.fontMetrics().elidedText(
            r.label, Qt.TextElideMode.ElideRight, max(int(inside.width()), 0)
        )
        if inside.width() > 12:
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, words)


def _alpha(sure: float) -> int:
    """Of a proposal's bar: what is hardly sure is faint."""
    return round(70 + 185 * min(max(2 * sure - 1, 0.0), 1.0))


def _clock(t: float, step: float) -> str:
    minutes, seconds = divmod(t, 60)
    text = f"{seconds:04.1f}" if step < 1 else f"{seconds:02.0f}"
    return f"{minutes:.0f}:{text}"
