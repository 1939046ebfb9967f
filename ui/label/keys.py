"""Keys that are held down: numbers while a clip plays, and Space to move the picture."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent

# What Shift makes of 1, 2 ... 9, 0 on a US keyboard, where nothing better is known.
SHIFTED = "!@#$%^&*("
FIRST_CODE = {"xcb": 10, "wayland": 10, "windows": 2}  # of the key 1; then 2 ... 9, 0


def digit_of(event: QKeyEvent) -> int | None:
    """Which number key it is, with or without Shift, on the top row or the keypad; None: none."""
    first = FIRST_CODE.get(QGuiApplication.platformName())
    code = event.nativeScanCode()
    if first is not None and first <= code < first + 10:
        return (code - first + 1) % 10
    key = event.key()
    if Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
        return int(key - Qt.Key.Key_0)
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        if key == Qt.Key.Key_ParenRight:
            return 0
        text = chr(key) if key < 128 else ""
        return SHIFTED.index(text) + 1 if text and text in SHIFTED else None
    return None


def with_shift(event: QKeyEvent) -> bool:
    """Is Shift down?"""
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)


def is_plain(event: QKeyEvent) -> bool:
    """Neither Ctrl nor Alt nor Meta is down."""
    others = (
        Qt.KeyboardModifier.ControlModifier
        | Qt.KeyboardModifier.AltModifier
        | Qt.KeyboardModifier.MetaModifier
    )
    return not event.modifiers() & others
