"""The live window as tests use it: a fake pipeline behind it, its timer under their control."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, QPointF, QSettings, Qt
from PyQt6.QtGui import QColor, QWheelEvent
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

import ui.live.window
from tests.helpers.fake_pipeline import FakePipeline
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.sources.cameras import Camera
from tracker.sources.open import Playing
from ui.kit.start import forget_plugins_of_opencv
from ui.live.choices import Choices
from ui.live.controls import LiveControls
from ui.live.settings import Store
from ui.live.window import LiveWindow

forget_plugins_of_opencv()


class Studio:
    """Makes a window when `open` is called. `pipelines`: all that it asked for, in order."""

    def __init__(self, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bot, self.folder = qtbot, folder
        self.pipelines: list[FakePipeline] = []
        self.refuses: str | None = None  # no pipeline can be made, for this reason
        self.windows: list[LiveWindow] = []
        self.cameras: list[Camera] = []
        for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):  # where a user's settings are
            monkeypatch.setenv(name, str(folder / "home"))
        monkeypatch.setattr(ui.live.window, "list_cameras", lambda: self.cameras)

    def store(self) -> Store:
        return Store(QSettings(str(self.folder / "settings.ini"), QSettings.Format.IniFormat))

    def make(self, camera: str, how: Playing, config: TrackerConfig) -> FakePipeline:
        if self.refuses is not None:
            raise UserError(self.refuses)
        self.pipelines.append(FakePipeline(camera, how.loop, config, how=how))
        return self.pipelines[-1]

    def open(self, to: Sequence[str] = (), **choices: object) -> LiveWindow:
        """A shown window; folders are inside the test's own."""
        store = self.store()
        places = {n: str(self.folder / n) for n in ("recordings", "snapshots", "project")}
        chosen = Choices(**{**places, "hint": False, **choices})  # type: ignore[arg-type]
        controls = LiveControls(self.make, store, chosen, to)  # type: ignore[arg-type]
        window = LiveWindow(controls, store)
        self.windows.append(window)
        window.resize(1180, 780)
        window.show()
        self.bot.waitExposed(window)
        self.settle()
        return window

    @property
    def window(self) -> LiveWindow:
        return self.windows[-1]

    @property
    def pipeline(self) -> FakePipeline:
        return self.pipelines[-1]

    def settle(self) -> None:
        """Until all jobs are done and reported, and the window has looked at the pipeline."""
        self.bot.waitUntil(lambda: self.window.controls.jobs.is_idle, timeout=5000)
        self.window._health_at = -1e9
        self.window.tick()

    def key(self, key: Qt.Key | str, modifier: Qt.KeyboardModifier | None = None) -> None:
        """Press a key where the keyboard is."""
        target = self.window.focusWidget() or self.window
        modifier = modifier or Qt.KeyboardModifier.NoModifier
        self.bot.keyClick(target, key, modifier)
        self.settle()

    def calls(self, name: str) -> list[tuple[object, ...]]:
        """What the newest pipeline was told by this name."""
        return [call[1:] for call in self.pipeline.calls if call[0] == name]

    def message(self) -> str:
        bar = self.window.statusBar()
        assert bar is not None
        return bar.currentMessage()

    def end(self) -> None:
        for window in self.windows:
            window._timer.stop()
            window.controls._settle.stop()
            for pipeline in self.pipelines:
                pipeline.closing.set()
                pipeline.stopping.set()
            window.controls.jobs.close()
            window.hide()
            window.deleteLater()


def pixel(widget: QWidget, x: float, y: float) -> tuple[int, int, int]:
    """Colour (r, g, b) on the screen at a point of a widget."""
    image = widget.grab().toImage()
    ratio = image.devicePixelRatio()
    colour = QColor(image.pixel(round(x * ratio), round(y * ratio)))
    return colour.red(), colour.green(), colour.blue()


def turn_wheel(widget: QWidget) -> None:
    """One notch towards the person, as the window system sends it."""
    event = QWheelEvent(
        QPointF(3, 3), widget.mapToGlobal(QPointF(3, 3)), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
