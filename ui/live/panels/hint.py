"""What somebody should know who sees the window for the first time: three lines on the picture."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

LINES = (
    "Show a hand or your face: landmarks follow it. Nothing leaves this computer unasked.",
    "<b>R</b> records, <b>S</b> saves a picture, <b>F</b> keeps a moment for your own model.",
    "<b>F9</b> shows all settings, <b>?</b> all keys.",
)
WIDEST, EDGE = 640, 12  # pixels
LOOK = """
QFrame#hint { background: rgba(50, 58, 74, 240); border-radius: 10px; }
QFrame#hint QLabel { color: white; }
"""


class Hint(QFrame):
    """Lies on the lower edge of the picture; `done`: it was read."""

    done = pyqtSignal()

    def __init__(self, picture: QWidget) -> None:
        """Hidden at first."""
        super().__init__(picture)
        self.setObjectName("hint")
        self.setStyleSheet(LOOK)
        words = QLabel("<br>".join(LINES))
        words.setTextFormat(Qt.TextFormat.RichText)
        words.setWordWrap(True)
        self.button = QPushButton("Got it")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setToolTip("Do not show this again; the panel's first page can (First steps)")
        self.button.clicked.connect(self.done)
        row = QHBoxLayout(self)
        row.addWidget(words, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        self.hide()
        picture.installEventFilter(self)
        self._picture = picture

    def show_choice(self, on: bool) -> None:
        """Show it or not."""
        self.setVisible(on)
        self._place()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """It stays at the lower edge."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        width = min(WIDEST, self._picture.width() - 2 * EDGE)
        layout = self.layout()
        assert layout is not None
        height = layout.totalHeightForWidth(width)
        left, top = (self._picture.width() - width) // 2, self._picture.height() - height - EDGE
        self.setGeometry(left, top, width, height)
