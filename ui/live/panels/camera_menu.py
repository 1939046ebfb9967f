"""The menu of cameras: looked for again whenever it is opened."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction, QActionGroup
from PyQt6.QtWidgets import QMenu, QWidget

from ui.live.panels.panel import Device


class CameraMenu(QMenu):
    """Tells which camera was chosen; it decides nothing itself."""

    chosen = pyqtSignal(str)  # what opens it
    ask_devices = pyqtSignal()

    def __init__(self, parent: QWidget, open_video: QAction) -> None:
        """`open_video` is what plays a file instead."""
        super().__init__("&Camera", parent)
        self._devices: Sequence[Device] = ()
        self._camera = ""
        self._open_video = open_video
        self.aboutToShow.connect(self.ask_devices)
        self._fill()

    def show_devices(self, devices: Sequence[Device]) -> None:
        """Offer these."""
        self._devices = devices
        self._fill()

    def show_choice(self, camera: str) -> None:
        """This one is in use."""
        if camera != self._camera:
            self._camera = camera
            self._fill()

    def _fill(self) -> None:
        self.clear()
        group = QActionGroup(self)
        for device in self._devices:
            action = QAction(device.name.replace("&", "&&"), self)
            action.setCheckable(True)
            action.setChecked(device.is_called(self._camera))
            action.setToolTip(device.spec)
            action.triggered.connect(lambda _, spec=device.spec: self.chosen.emit(spec))
            group.addAction(action)
            self.addAction(action)
        if not self._devices:
            nothing = QAction("No camera is connected", self)
            nothing.setEnabled(False)
            self.addAction(nothing)
        self.addSeparator()
        look = QAction("Look again", self)
        look.triggered.connect(lambda _: self.ask_devices.emit())
        self.addAction(look)
        self.addAction(self._open_video)
