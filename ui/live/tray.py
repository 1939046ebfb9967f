"""The switch of the actions in the system tray: works while the window is hidden."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtGui import QAction, QIcon
from PyQt6.QtWidgets import QMainWindow, QMenu, QSystemTrayIcon


class Tray:
    """An icon with a menu; it is there while a profile of actions is in use."""

    def __init__(
        self, window: QMainWindow, icon: QIcon, choose: Callable[[str, bool], object]
    ) -> None:
        """`choose` changes a field of Choices. On a desktop without a tray nothing is shown."""
        self._window = window
        self._menu = QMenu()
        self.on = self._entry("Actions on", lambda on: choose("actions_on", on), True)
        self.test = self._entry("Test: do nothing", lambda on: choose("actions_test", on), True)
        self._menu.addSeparator()
        self.shown = self._entry("Show window", self.show_window, True)
        self._entry("Quit", lambda _: window.close(), False)
        self.icon = QSystemTrayIcon(icon, window)
        self.icon.setContextMenu(self._menu)
        self.icon.activated.connect(self._clicked)

    @property
    def is_there(self) -> bool:
        """Can the window be hidden, and found again?"""
        return self.icon.isVisible() and QSystemTrayIcon.isSystemTrayAvailable()

    def show(self, profile: str, on: bool, test: bool) -> None:
        """As chosen."""
        self.icon.setVisible(bool(profile) and QSystemTrayIcon.isSystemTrayAvailable())
        self.on.setChecked(on)
        self.test.setChecked(test)
        self.shown.setChecked(self._window.isVisible())
        state = "off" if not on else "test" if test else "on"
        self.icon.setToolTip(f"Landmark Tracker: actions {state}")

    def show_window(self, on: bool) -> None:
        """Hide the window or bring it back. Without a tray it is not hidden."""
        self._window.setVisible(on or not self.is_there)
        self.shown.setChecked(self._window.isVisible())
        if on:
            self._window.raise_()
            self._window.activateWindow()

    def _clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.show_window(not self._window.isVisible())

    def _entry(self, text: str, act: Callable[[bool], object], checkable: bool) -> QAction:
        action = self._menu.addAction(text)
        assert action is not None
        action.setCheckable(checkable)
        action.triggered.connect(act)
        return action
