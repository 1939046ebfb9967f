"""The panel beside the picture; in a narrow window over it, and only when it is asked for."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QSplitter, QWidget

NARROW = 700  # logical pixels of width below which both have no room beside each other
WIDEST = 560  # of the panel
LEFT = 60  # of the picture that stays to be seen beside a panel over it


class Beside(QSplitter):
    """Divides the window between picture and panel. `folded`: it has become narrow, or wide."""

    folded = pyqtSignal()

    def __init__(self, picture: QWidget, panel: QWidget) -> None:
        """Wide at first."""
        super().__init__(Qt.Orientation.Horizontal)
        self._picture, self._panel = picture, panel
        self.is_narrow = False
        self._width = 320  # of the panel when it was last beside the picture
        self.is_peeking = False  # narrow, and the panel lies over the picture
        self.addWidget(picture)
        self.addWidget(panel)
        self.setStretchFactor(0, 1)
        panel.setMaximumWidth(WIDEST)
        self.setCollapsible(0, False)
        self.setSizes([860, 320])
        picture.installEventFilter(self)

    def is_panel_shown(self, wanted: bool) -> bool:
        """Is the panel to be seen? `wanted`: where there is room."""
        return self.is_peeking if self.is_narrow else wanted

    def minimumSizeHint(self) -> QSize:
        """As small as the picture may be: where both have no room, the panel goes."""
        return self._picture.minimumSize()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._fold()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """A panel over the picture is as high as the picture."""
        if event is not None and event.type() == QEvent.Type.Resize and self.is_narrow:
            self._lay_over()
        return super().eventFilter(watched, event)

    def _fold(self) -> None:
        window = self.window()
        width = self.width() if window is None else window.width()
        if (width < NARROW) == self.is_narrow:
            return
        self.is_narrow = width < NARROW
        self.is_peeking = False
        if self.is_narrow:
            self._width = self._panel.width()
            self._panel.setParent(self._picture)
            self._panel.setAutoFillBackground(True)
            self._panel.raise_()
            self._lay_over()
        else:
            self.addWidget(self._panel)
            self.setSizes([max(self.width() - self._width, 1), self._width])
        self.folded.emit()

    def _lay_over(self) -> None:
        room = self._picture.size()
        width = min(self._panel.minimumWidth(), room.width() - LEFT)
        self._panel.setGeometry(room.width() - width, 0, width, room.height())
