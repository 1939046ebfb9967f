"""Buttons that lie on the picture, below a message: what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QWidget

GAP = 8  # pixels below the message


class Offers(QWidget):
    """A row of buttons; `chosen` tells the name of one that was clicked."""

    chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget, words: Mapping[str, str]) -> None:
        """`words`: what stands on the button of each name. Hidden at first."""
        super().__init__(parent)
        self._words = words
        self._names: tuple[str, ...] = ()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self.hide()

    def offer(self, names: Sequence[str], below: QRectF) -> None:
        """Show just these, in the middle below a message."""
        if tuple(names) != self._names:
            self._names = tuple(names)
            while (item := self._row.takeAt(0)) is not None:
                old = item.widget()
                if old is not None:
                    old.hide()
                    old.deleteLater()
            for name in names:
                button = QPushButton(self._words[name])
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                button.clicked.connect(lambda _, name=name: self.chosen.emit(name))
                self._row.addWidget(button)
                button.show()  # Qt shows it later, and until then the row has no size
        self.setVisible(bool(names))
        if names:
            self.adjustSize()
            self.move(round(below.center().x() - self.width() / 2), round(below.bottom()) + GAP)
