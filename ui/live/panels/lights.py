"""At a glance: is something sent, are actions on? Two buttons in the status bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PyQt6.QtWidgets import QToolButton

from tracker.actions.actions import ActionsState
from ui.live.sending import SendRow

Level = Literal["off", "good", "waits", "bad"]
COLOURS = {"off": "#8b8b93", "good": "#2fa84f", "waits": "#d58a1a", "bad": "#d4493f"}


@dataclass(frozen=True, slots=True)
class Light:
    """How something stands; its shape tells the level, too, not only its colour."""

    level: Level
    words: str


def of_sending(rows: Sequence[SendRow]) -> Light:
    """What is sent."""
    on = [row for row in rows if row.on]
    failed = sum(row.state == "failed" for row in on)
    sends = sum(row.state == "sends" for row in on)
    if not on:
        return Light("off", "Sending is off" if rows else "Nothing is sent")
    if failed:
        return Light("bad", f"{failed} of {len(on)} not sent")
    if sends < len(on):
        return Light("waits", "Sending waits")
    return Light("good", f"Sends to {on[0].target}" if len(on) == 1 else f"Sends to {len(on)}")


def of_actions(state: ActionsState | None) -> Light:
    """What gestures do."""
    if state is None:
        return Light("off", "No actions")
    if not state.on:
        return Light("off", "Actions off")
    if state.problems:
        return Light("bad", "Actions fail")
    if state.test:
        return Light("waits", "Actions: test")
    return Light("good", "Actions on") if state.enabled else Light("waits", "Actions asleep")


class LightButton(QToolButton):
    """Shows a light; who clicks it wants to see more."""

    def __init__(self, short: str) -> None:
        """`short`: what stands there where there is little room."""
        super().__init__()
        self._short = short
        self._shown: tuple[Light, bool] | None = None
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def show_light(self, light: Light, is_narrow: bool) -> None:
        """This one, from now on."""
        if (light, is_narrow) == self._shown:
            return
        self._shown = light, is_narrow
        room = self.fontMetrics().elidedText(light.words, Qt.TextElideMode.ElideMiddle, 180)
        self.setText(self._short if is_narrow else room.replace("&", "&&"))
        self.setIcon(icon(light.level))
        self.setToolTip(f"{light.words}; click to see more")
        self.setAccessibleName(light.words)


def icon(level: Level) -> QIcon:
    """Off: a ring; good: a disc; waits: half a disc; bad: a triangle."""
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour, box = QColor(COLOURS[level]), QRectF(5, 5, 22, 22)
    painter.setPen(QPen(colour, 4))
    painter.setBrush(colour if level in ("good", "bad") else Qt.BrushStyle.NoBrush)
    if level == "bad":
        painter.drawPolygon(QPolygonF([QPointF(16, 5), QPointF(28, 27), QPointF(4, 27)]))
    else:
        painter.drawEllipse(box)
    if level == "waits":
        painter.setBrush(colour)
        painter.drawPie(box, 90 * 16, 180 * 16)
    painter.end()
    return QIcon(pixmap)
