"""A status bar that shows where a sentence had no room."""

from __future__ import annotations

from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QStatusBar, QWidget

APART = 6  # pixels before the words, and between them and the widgets after them


class StatusBar(QStatusBar):
    """Its message loses its middle, and not what stands at its end, which is what can be done."""

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Qt's own would go on below the widgets on the right."""
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(self.room(), left, self.words())
        painter.end()

    def words(self) -> str:
        """As much of the message as there is room for."""
        middle, room = Qt.TextElideMode.ElideMiddle, self.room().width()
        return self.fontMetrics().elidedText(self.currentMessage(), middle, room)

    def room(self) -> QRect:
        """Where a message is written: up to the first widget that stays."""
        beside = Qt.FindChildOption.FindDirectChildrenOnly
        lefts = [w.x() for w in self.findChildren(QWidget, options=beside) if w.isVisible()]
        right = min(lefts, default=self.width())
        return self.rect().adjusted(APART, 0, right - self.width() - APART, 0)
