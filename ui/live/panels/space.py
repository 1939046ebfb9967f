"""Hands and heads in space, beside the picture's plane: turned with the mouse, painted plainly.

Space has x to the viewer's right, y up, z towards the viewer. A hand is what the network says of
its depth; a head is the average face in its pose, with its axes as on the picture: X red to the
person's left, Y green down the face, Z blue out of the nose. How far they are from each other is
not shown: each stands in a cell of its own, in the order in which they are seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PyQt6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PyQt6.QtWidgets import QWidget

from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.outputs.overlay import AXES
from tracker.outputs.skeleton import Colour, Skeleton, skeleton
from tracker.types import Kind, Track

Points = NDArray[np.float64]
START = (-30.0, 15.0)  # turn and tilt, degrees: depth can be seen at once
AWAY = 5.0  # units from the viewer to the middle of a cell
PALM, HEAD_CM = 1.05, 8.0  # how much of each is a unit; a cell is a bit over two wide
ACROSS = 3.2  # units: a cell as it is at the start holds its ground
GROUND = np.array([[np.sin(a), -1.15, np.cos(a)] for a in np.linspace(0, 2 * np.pi, 33)])
BOX, FAINT, WORDS = QColor(24, 24, 27, 225), QColor(255, 255, 255, 46), QColor(220, 220, 224)
NOTHING = "No head or hand with depth is seen"
KEYS = {Qt.Key.Key_Left: (-10, 0), Qt.Key.Key_Right: (10, 0), Qt.Key.Key_Up: (0, -10),
        Qt.Key.Key_Down: (0, 10)}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One thing in space, about a unit large in each direction from its middle."""

    xyz: Points  # (K, 3)
    look: Skeleton
    axes: Points | None = None  # (4, 3) where they begin, and the ends of X, Y, Z


def body_of(track: Track, looks: Mapping[Kind, Skeleton]) -> Body | None:
    """A hand or head in space; None where nothing is known of its depth."""
    if track.pose is not None:
        pose = track.pose
        rotation = rotation_from_pose(pose) if pose.matrix is None else pose.matrix[:3, :3]
        turn = np.diag([1.0, -1.0, -1.0]) @ rotation / HEAD_CM  # from camera axes to those here
        face = face_xyz()
        middle, nose = face.mean(0), face[30]
        ends = nose + 6.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1]])
        return Body((face - middle) @ turn.T, skeleton("face", len(face)), (ends - middle) @ turn.T)
    if track.xyz is None or not np.isfinite(track.xyz).all():
        return None
    look = looks.get(track.kind)
    if look is None or len(look.points) != len(track.xyz):
        look = skeleton(track.kind, len(track.xyz))
    middle = (track.xyz.max(0) + track.xyz.min(0)) / 2
    return Body((track.xyz - middle).astype(np.float64) / PALM, look)


def turned(xyz: Points, turn: float, tilt: float) -> Points:
    """(..., 3) turned so that what is near goes `turn` degrees to the right, then `tilt` down."""
    (ca, sa), (cb, sb) = ((np.cos(a), np.sin(a)) for a in np.deg2rad([turn, tilt]))
    about_y = np.array([[ca, 0, sa], [0, 1, 0], [-sa, 0, ca]])
    about_x = np.array([[1, 0, 0], [0, cb, -sb], [0, sb, cb]])
    found: Points = xyz @ (about_x @ about_y).T
    return found


def projected(xyz: Points, middle_xy: tuple[float, float], unit: float) -> Points:
    """(..., 2) pixels, y down, of points in space; a unit at the middle's depth is `unit` wide."""
    nearer = AWAY / np.maximum(AWAY - xyz[..., 2:], 0.5)
    found: Points = np.asarray(middle_xy) + unit * nearer * xyz[..., :2] * (1, -1)
    return found


class SpaceView(QWidget):
    """Lies in the lower right corner of the picture."""

    def __init__(self, picture: QWidget) -> None:
        """Hidden, and empty."""
        super().__init__(picture)
        self._picture = picture
        self.bodies: Sequence[Body] = ()
        self.turn, self.tilt = START
        self.zoom = 1.0
        self._grip: QPointF | None = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Hands and heads in space; arrows turn them")
        self.setToolTip("Drag to turn, wheel to come nearer, double click to begin anew")
        picture.installEventFilter(self)
        self.hide()

    def show_tracks(self, tracks: Sequence[Track], looks: Mapping[Kind, Skeleton]) -> None:
        """Paint these from now on."""
        found = (body_of(track, looks) for track in tracks)
        self.bodies = [body for body in found if body is not None]
        self.update()

    def place(self) -> None:
        """In the corner, as large as the picture bears."""
        room = self._picture.size()
        side = int(np.clip(0.36 * min(room.width(), room.height()), 110, 480))
        width = min(round(1.3 * side), room.width() - 16)
        self.setGeometry(room.width() - width - 8, room.height() - side - 8, width, side)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """It stays in its corner."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self.place()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        self._grip = event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        if self._grip is not None:
            moved = event.position() - self._grip
            self._grip = event.position()
            self._by(180 * moved.x() / self.width(), 180 * moved.y() / self.height())

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        (self.turn, self.tilt), self.zoom = START, 1.0
        self.update()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        assert event is not None
        self.zoom = float(np.clip(self.zoom * 1.1 ** (event.angleDelta().y() / 120), 0.5, 3))
        self.update()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        step = KEYS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self._by(*step)

    def _by(self, turn: float, tilt: float) -> None:
        self.turn = (self.turn + turn + 180) % 360 - 180
        self.tilt = float(np.clip(self.tilt + tilt, -90, 90))
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(BOX)
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        if not self.bodies:
            painter.setPen(WORDS)
            flags = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value
            painter.drawText(QRectF(self.rect()).adjusted(8, 8, -8, -8), flags, NOTHING)
        width = self.width() / max(len(self.bodies), 1)
        for i, body in enumerate(self.bodies):
            cell = QRectF(i * width, 0, width, self.height())
            painter.setClipRect(cell)
            self._paint_body(painter, body, cell)
        painter.end()

    def _paint_body(self, painter: QPainter, body: Body, cell: QRectF) -> None:
        middle = cell.center().x(), cell.center().y()
        unit = self.zoom * min(cell.width(), cell.height()) / ACROSS

        def on_screen(xyz: Points) -> tuple[Points, list[QPointF]]:
            at = turned(xyz, self.turn, self.tilt)
            return at[..., 2], [QPointF(x, y) for x, y in projected(at, middle, unit)]

        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(FAINT, 1))
        painter.drawPolyline(QPolygonF(on_screen(GROUND)[1]))
        depth, at = on_screen(body.xyz)
        edges = zip(body.look.edges, body.look.lines, strict=True)
        # What is far is painted first, thinner and darker.
        for (a, b), colour in sorted(edges, key=lambda e: depth[e[0][0]] + depth[e[0][1]]):
            near = _near((depth[a] + depth[b]) / 2)
            painter.setPen(QPen(_shaded(colour, near), max(1.0, unit * 0.035 * (0.5 + near))))
            painter.drawLine(at[a], at[b])
        painter.setPen(Qt.PenStyle.NoPen)
        radius = unit * (0.045 if len(at) < 40 else 0.02)
        for i in np.argsort(depth):
            painter.setBrush(_shaded(body.look.points[i], _near(depth[i])))
            painter.drawEllipse(at[i], radius, radius)
        if body.axes is not None:
            _, (start, *ends) = on_screen(body.axes)
            for end, colour in zip(ends, AXES, strict=True):
                painter.setPen(QPen(_shaded(colour, 1.0), max(1.5, unit * 0.05)))
                painter.drawLine(start, end)


def _near(depth: float) -> float:
    """0 at the back of a cell, 1 at its front."""
    return float(np.clip((depth + 1) / 2, 0, 1))


def _shaded(bgr: Colour, near: float) -> QColor:
    share = 0.45 + 0.55 * near
    b, g, r = (round(share * c) for c in bgr)
    return QColor(r, g, b)
