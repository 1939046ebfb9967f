"""Keys and pointer by pynput: X11, Windows and macOS. It has no joystick."""

from __future__ import annotations

import sys
from typing import Any

from tracker.actions.keys import KEYS


class PynputDevice:
    """A `Device`. Single characters follow the layout of the keyboard."""

    name = "pynput"

    def __init__(self) -> None:
        """ImportError where the platform has no display."""
        from pynput import keyboard, mouse

        self._keyboard, self._mouse = keyboard.Controller(), mouse.Controller()
        self._keys: dict[str, Any] = {
            name: key.pynput if len(key.pynput) == 1 else getattr(keyboard.Key, key.pynput, None)
            for name, key in KEYS.items()
        }
        self._buttons = {name: getattr(mouse.Button, name) for name in ("left", "middle", "right")}
        self._down: list[str] = []
        self._pressed: list[str] = []

    def key(self, name: str, down: bool) -> None:
        key = self._keys[name]
        if key is None:
            raise OSError(f"this system has no key {name!r}; choose another")
        (self._keyboard.press if down else self._keyboard.release)(key)
        _note(self._down, name, down)

    def move(self, x: float, y: float) -> None:
        left, top, width, height = screen()
        self._mouse.position = (
            round(left + x * (width - 1)), round(top + y * (height - 1)),
        )  # fmt: skip

    def button(self, name: str, down: bool) -> None:
        (self._mouse.press if down else self._mouse.release)(self._buttons[name])
        _note(self._pressed, name, down)

    def scroll(self, right: int, up: int) -> None:
        self._mouse.scroll(right, up)

    def axis(self, name: str, value: float) -> None:
        raise OSError("pynput has no joystick; it needs uinput, see 'tracker doctor'")

    def close(self) -> None:
        for name in list(self._down):
            self.key(name, False)
        for name in list(self._pressed):
            self.button(name, False)


def _note(names: list[str], name: str, down: bool) -> None:
    if down:
        names.append(name)
    elif name in names:
        names.remove(name)


def screen() -> tuple[int, int, int, int]:
    """The whole desktop: left, top, width, height in pixels."""
    if sys.platform == "win32":
        import ctypes

        numbers = (76, 77, 78, 79)  # SM_XVIRTUALSCREEN and the three after it
        left, top, width, height = (ctypes.windll.user32.GetSystemMetrics(n) for n in numbers)
        return left, top, width, height
    if sys.platform == "darwin":
        import Quartz

        box = Quartz.CGDisplayBounds(Quartz.CGMainDisplayID())
        return (
            int(box.origin.x), int(box.origin.y), int(box.size.width), int(box.size.height),
        )  # fmt: skip
    from Xlib.display import Display

    display = Display()
    try:
        root = display.screen()
        return 0, 0, root.width_in_pixels, root.height_in_pixels
    finally:
        display.close()
