"""A ring on the picture that counts five seconds down while a face at rest is captured."""

from __future__ import annotations

from math import ceil

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from tracker.follow.neutral import Capture
from tracker.result import Result
from ui.live.gestures.ring import Ring

WORDS = "Look into the camera, face at rest.<br><b>Esc</b> ends it."
EDGE = 12  # pixels
LOOK = """
QFrame#capture { background: rgba(50, 58, 74, 225); border-radius: 10px; }
QFrame#capture QLabel { color: white; }
"""


class CaptureRing(QFrame):
    """Lies on the picture's upper edge while it counts. `captured`: a NeutralFace; `failed`: why
    not.
    """

    captured = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, picture: QWidget) -> None:
        """Hidden at first."""
        super().__init__(picture)
        self.setObjectName("capture")
        self.setStyleSheet(LOOK)
        self._capture: Capture | None = None
        self.ring = Ring()
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, QColor("white"))
        palette.setColor(QPalette.ColorRole.Mid, QColor(255, 255, 255, 60))
        palette.setColor(QPalette.ColorRole.Highlight, QColor("#4fa3ff"))
        self.ring.setPalette(palette)
        words = QLabel(WORDS)
        words.setTextFormat(Qt.TextFormat.RichText)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.addWidget(self.ring)
        layout.addWidget(words)
        self.hide()
        picture.installEventFilter(self)
        self._picture = picture

    @property
    def is_on(self) -> bool:
        """Does it count?"""
        return self._capture is not None

    def turn(self) -> None:
        """Begin, or end without a face."""
        if self.is_on:
            self.cancel()
            return
        self._capture = Capture()
        self._show(self._capture)
        self.setVisible(True)
        self._place()
        self.raise_()

    def cancel(self) -> None:
        """End without a face; harmless where it does not count."""
        self._capture = None
        self.hide()

    def take(self, result: Result) -> None:
        """Take in what a frame shows."""
        capture = self._capture
        if capture is None:
            return
        try:
            face = capture.take(result)
        except ValueError as error:
            self.cancel()
            self.failed.emit(str(error))
            return
        if capture.lacks_expressions:
            self.cancel()
            self.failed.emit(
                "the face model in use tells no expressions; choose one that does on the page "
                "Tracking"
            )
        elif face is not None:
            self.cancel()
            self.captured.emit(face)
        else:
            self._show(capture)

    def _show(self, capture: Capture) -> None:
        word = "no face" if capture.is_missing else f"{ceil(capture.left_s)}"
        self.ring.show_share(capture.share, word, capture.is_missing)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """It stays at its place."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        size = self.sizeHint()
        self.setGeometry(
            (self._picture.width() - size.width()) // 2, EDGE, size.width(), size.height()
        )
