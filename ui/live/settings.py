"""Where the choices of the live window are kept between two runs.

Only what is changed in the window is kept; options of the command line count for one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from PyQt6.QtCore import QByteArray, QSettings, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QSplitter, QWidget

from ui.live.choices import Choices, size_wh

OUT_OF_REACH = Qt.WindowState.WindowFullScreen | Qt.WindowState.WindowMinimized
GRIP_WH = (100, 40)  # pixels of a window that must lie on a screen, so that it can be moved

MOST = {"fov": 179, "fps": 1000}  # of a number, where that is not 1 for a share and 20 for a count


class Store:
    """Keeps choices in the desktop's own place for settings."""

    def __init__(self, settings: QSettings | None = None) -> None:
        """`settings` None: those of the application's name and organisation."""
        self._settings = QSettings() if settings is None else settings

    def load(self) -> Choices:
        """What was kept; a value that makes no sense any more is forgotten."""
        hints = get_type_hints(Choices)
        found: dict[str, Any] = {
            field.name: self._read(field.name, hints[field.name])
            for field in fields(Choices)
            if self._settings.contains(f"choices/{field.name}")
        }
        kept = replace(Choices(), **{name: v for name, v in found.items() if v is not None})
        try:
            kept.config()
        except ValueError:
            return Choices()
        return kept

    def keep(self, name: str, value: object) -> None:
        """Remember one choice."""
        self._settings.setValue(f"choices/{name}", value)

    def keep_layout(self, window: QWidget, splitters: Sequence[QSplitter]) -> None:
        """Remember where a window is and how it is divided."""
        self._settings.setValue("window/geometry", window.saveGeometry())
        for i, splitter in enumerate(splitters):
            self._settings.setValue(f"window/splitter{i}", splitter.saveState())

    def restore_layout(self, window: QWidget, splitters: Sequence[QSplitter]) -> None:
        """The same again, where it was kept and can be used."""
        geometry, usual = self._settings.value("window/geometry"), window.geometry()
        if isinstance(geometry, QByteArray) and window.restoreGeometry(geometry):
            # Full screen would come without the keys and bars that lead out of it.
            window.setWindowState(window.windowState() & ~OUT_OF_REACH)
            if not _can_be_reached(window):
                window.setGeometry(usual)
        for i, splitter in enumerate(splitters):
            state, sizes = self._settings.value(f"window/splitter{i}"), splitter.sizes()
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
            if min(splitter.sizes()) == 0 < min(sizes):  # a part that nothing brings back
                splitter.setSizes(sizes)

    def _read(self, name: str, hint: object) -> object:
        """A value of type `hint`, or None when what is kept is no such thing."""
        raw = self._settings.value(f"choices/{name}")
        if hint is bool:
            return {"true": True, "false": False}.get(str(raw).lower())
        if hint in (int, float):
            try:
                number = float(raw)
            except (TypeError, ValueError):
                return None
            in_range = 0 < number <= MOST.get(name, 1 if hint is float else 20)
            return (int(number) if hint is int else number) if in_range else None
        allowed = get_args(hint)
        if name == "size" and not _is_size(raw):
            return None
        return str(raw) if isinstance(raw, str) and (not allowed or raw in allowed) else None


def _is_size(raw: object) -> bool:
    try:
        size_wh(str(raw))
    except ValueError:
        return False
    return True


def _can_be_reached(window: QWidget) -> bool:
    """Does enough of its upper edge lie on a screen?"""
    top = window.geometry()
    top.setHeight(GRIP_WH[1])
    for screen in QGuiApplication.screens():
        seen = screen.availableGeometry().intersected(top)
        if seen.width() >= GRIP_WH[0] and seen.height() >= GRIP_WH[1]:
            return True
    return False
