"""Switches of actions and sending in the system tray: they work while the window is hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtGui import QAction, QIcon
from PyQt6.QtWidgets import QMainWindow, QMenu, QSystemTrayIcon


class Tray:
    """An icon with a menu; it is there while a profile of actions is in use, or a target named."""

    def __init__(
        self,
        window: QMainWindow,
        icon: QIcon,
        choose: Callable[[str, bool], object],
        send: Callable[[bool], object],
    ) -> None:
        """`choose` changes a field of Choices, `send` switches all targets.

        On a desktop without a tray nothing is shown.
        """
        self._window = window
        self._menu = QMenu()
        self.on = self._entry("Actions on", lambda on: choose("actions_on", on), True)
        self.test = self._entry("Test: do nothing", lambda on: choose("actions_test", on), True)
        self.send = self._entry("Send", send, True)
        self._acting = self._sending = ""  # in words; '': none
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
        self.on.setChecked(on)
        self.test.setChecked(test)
        for entry in (self.on, self.test):
            entry.setVisible(bool(profile))
        state = "off" if not on else "test" if test else "on"
        self._acting = f"actions {state}" if profile else ""
        self._show()

    def show_sending(self, on: Sequence[bool]) -> None:
        """Which of the targets are on."""
        self.send.setVisible(bool(on))
        self.send.setChecked(any(on))
        self._sending = (f"sends to {sum(on)}" if any(on) else "sending off") if on else ""
        self._show()

    def _show(self) -> None:
        words = ", ".join(filter(None, (self._acting, self._sending)))
        self.icon.setVisible(bool(words) and QSystemTrayIcon.isSystemTrayAvailable())
        self.icon.setToolTip(f"Landmark Tracker: {words}")
        self.shown.setChecked(self._window.isVisible())

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
