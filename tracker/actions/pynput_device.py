"""Keys and pointer by pynput: X11, Windows and macOS. It has no joystick."""

from __future__ import annotations

import sys
import time
from typing import Any

from tracker.actions.keys import KEYS

LOOK_AGAIN = 2.0  # s for which the size of the screen is taken to stay


class PynputDevice:
    """A `Device`. Single characters follow the layout of the keyboard."""

    name = "pynput"

    def __init__(self) -> None:
        """ImportError where the platform has no display."""
        from pynput import keyboard, mouse

        self._keyboard, self._mouse = keyboard.Controller(), mouse.Controller()
        # On X11 pynput sends a character to the window that has the keyboard, which terminals and
        # hotkeys do not take; a key by its number goes through the server like a real one. The
        # number (keysym) of an ASCII character is its own.
        by_number = sys.platform not in ("win32", "darwin")
        self._keys: dict[str, Any] = {}
        for name, key in KEYS.items():
            if len(key.pynput) > 1:
                self._keys[name] = getattr(keyboard.Key, key.pynput, None)
            elif by_number:
                self._keys[name] = keyboard.KeyCode.from_vk(ord(key.pynput))
            else:
                self._keys[name] = key.pynput
        self._buttons = {name: getattr(mouse.Button, name) for name in ("left", "middle", "right")}
        self._known: set[int] = set()
        self._screen, self._screen_at = (0, 0, 1, 1), float("-inf")
        self._down: list[str] = []
        self._pressed: list[str] = []

    def key(self, name: str, down: bool) -> None:
        if not self.knows(name):
            raise OSError(f"the keyboard of this system has no key {name!r}; choose another")
        key = self._keys[name]
        (self._keyboard.press if down else self._keyboard.release)(key)
        _note(self._down, name, down)

    def knows(self, name: str) -> bool:
        """Is there such a key on this system's keyboard, as it is laid out now?"""
        key = self._keys[name]
        if key is None or sys.platform in ("win32", "darwin"):
            return key is not None
        number = getattr(key, "value", key).vk
        return number in self._symbols()

    def _symbols(self) -> set[int]:
        """All that the keys of an X server's keyboard mean."""
        from Xlib.display import Display

        if not self._known:
            display = Display()
            try:
                least = display.display.info.min_keycode
                most = display.display.info.max_keycode
                rows = display.get_keyboard_mapping(least, most - least + 1)
                self._known = {symbol for row in rows for symbol in row if symbol}
            finally:
                display.close()
        return self._known

    def move(self, x: float, y: float) -> None:
        now = time.monotonic()
        if now - self._screen_at > LOOK_AGAIN:
            self._screen, self._screen_at = screen(), now
        left, top, width, height = self._screen
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
