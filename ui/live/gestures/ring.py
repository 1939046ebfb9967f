"""A ring that fills while something is shown."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

WIDE = 10.0  # pixels of its line


class Ring(QWidget):
    """A share of a circle, from the top on, and a word in it."""

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.share, self.word, self.is_missing = 0.0, "", False
        self.setMinimumSize(QSize(132, 132))
        self.setAccessibleName("Progress")

    def show_share(self, share: float, word: str, is_missing: bool = False) -> None:
        """Fill so much of it, [0, 1]; `is_missing`: no hand is seen."""
        if (share, word, is_missing) != (self.share, self.word, self.is_missing):
            self.share, self.word, self.is_missing = share, word, is_missing
            self.setAccessibleDescription(f"{word}, {share:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height()) - 2 * WIDE
        room = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        palette = self.palette()
        painter.setPen(QPen(palette.mid(), WIDE, cap=Qt.PenCapStyle.FlatCap))
        painter.drawEllipse(room)
        colour = Qt.GlobalColor.darkYellow if self.is_missing else palette.highlight().color()
        painter.setPen(QPen(colour, WIDE, cap=Qt.PenCapStyle.FlatCap))
        painter.drawArc(room, 90 * 16, -round(self.share * 360 * 16))
        painter.setPen(palette.windowText().color())
        inside = room.adjusted(WIDE, WIDE, -WIDE, -WIDE)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(inside, int(flags), self.word)
        painter.end()
