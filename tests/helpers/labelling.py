"""The labeller on a real small project, its timer and its clock under the control of a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.helpers.teaching import new_project, with_clip
from train.project.clips import read_clips
from train.project.labels import ObjectLabel
from train.project.layout import Project, open_project
from train.project.stills import read_stills
from train.project.store import Store
from ui.kit.start import forget_plugins_of_opencv
from ui.label.controls import LabelControls
from ui.label.window import LabelWindow

forget_plugins_of_opencv()
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def make_project(folder: Path, clips: int = 1) -> Project:
    """12 frames in each clip, and as many more as it has clips before it."""
    project = new_project(folder)
    for i in range(clips):
        with_clip(project, f"{'abc'[i]}.mp4", 12 + i)
    return project


def guess(number: int = 1, x: float = 20.0) -> ObjectLabel:
    """All three landmarks visible."""
    xy = np.array([[x, 20], [x + 10, 30], [x + 20, 20]], np.float32)
    return ObjectLabel(number, xy, np.full(3, 2, np.uint8), None, "model")


class Room:
    """A window on a project. Time stands still until `now` is moved."""

    def __init__(self, bot: QtBot, project: Project) -> None:
        self.bot, self.project = bot, open_project(project.root)
        self.now = 100.0
        self.store = Store.open(self.project)
        clips = read_clips(self.project) + read_stills(self.project)
        self.controls = LabelControls(self.project, clips, self.store, lambda: self.now)
        self.window = LabelWindow(self.controls)
        self.window._timer.stop()
        self.window.resize(1100, 760)
        self.window.show()
        self.to_front()
        self.canvas, self.line = self.window.canvas, self.window.timeline
        self.settle()

    def to_front(self) -> None:
        """Keys reach the window that is active only."""
        self.window.activateWindow()
        self.bot.waitUntil(self.window.isActiveWindow, timeout=10000)

    def settle(self) -> None:
        """Until the wanted frame is on the screen and nothing is to be guessed any more."""

        def is_done() -> bool:
            self.window.tick()
            screen = self.controls.screen
            guessing = self.window.guesses._thread.is_busy
            return (screen.is_current or bool(screen.problem)) and not guessing

        self.bot.waitUntil(is_done, timeout=20000)
        self.window.tick()

    def key(self, key: Qt.Key | str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.keyClick(self.canvas, key, modifier)
        self.settle()

    def press(self, key: Qt.Key | str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        QTest.keyPress(self.canvas, key, modifier)
        self.window.tick()

    def release(self, key: Qt.Key | str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
        """And wait until it counts as up."""
        spans = self.window.spans
        QTest.keyRelease(self.canvas, key, modifier)
        self.bot.waitUntil(lambda: bool(self.window.tick() or spans._up is None), timeout=5000)
        self.window.tick()

    def place(self, x: float, y: float) -> QPoint:
        """The widget pixel of a point of the frame."""
        return self.canvas.view.to_widget(x, y).toPoint()

    def click(self, x: float, y: float, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseClick(self.canvas, button, PLAIN, self.place(x, y))
        self.settle()

    def drag(
        self, a: tuple[float, float], b: tuple[float, float], modifier: Qt.KeyboardModifier = PLAIN
    ) -> None:
        """From one point of the frame to another."""
        pull(self.canvas, self.place(*a), self.place(*b), modifier)
        self.settle()

    def play_to(self, seconds: float) -> None:
        """Let the clock go on so far, frame by frame."""
        end = self.now + seconds + 1e-6  # clocks and frames are not rounded alike
        while self.now < end:
            self.now = min(self.now + 0.02, end)
            self.settle()

    @property
    def message(self) -> str:
        return self.controls.message

    def end(self) -> None:
        self.window._may_close = True
        self.window.close()
        self.window.deleteLater()


def pull(
    widget: QWidget, a: QPoint, b: QPoint, modifier: Qt.KeyboardModifier = PLAIN,
    button: Qt.MouseButton = LEFT,
) -> None:  # fmt: skip
    """Drag with the mouse, in three steps."""
    QTest.mousePress(widget, button, modifier, a)
    for share in (0.4, 1.0):
        at = QPointF(a) + (QPointF(b) - QPointF(a)) * share
        QTest.mouseMove(widget, at.toPoint())
    QTest.mouseRelease(widget, button, modifier, b)
