"""Keys, pointer and joystick by the kernel's uinput: on X11, on Wayland, and without a desktop.

Three devices, since desktops take one that is everything for none of them. The pointer is absolute
like that of a virtual machine: no screen size is asked for. Key names mean the places of a US
keyboard.
"""

from __future__ import annotations

from typing import Any

from tracker.actions.keys import AXES, BUTTONS, KEYS

NAME = "landmark-tracker"
MOST = 65535  # of the pointer's axes,
SWING = 32767  # and of the joystick's


class UinputDevice:
    """A `Device`."""

    name = "uinput"

    def __init__(self, evdev: Any = None) -> None:
        """OSError where /dev/uinput may not be written. `evdev` None: the package."""
        if evdev is None:
            import evdev
        self._evdev, self._codes = evdev, evdev.ecodes
        self._keys = {name: getattr(self._codes, key.evdev) for name, key in KEYS.items()}
        self._keyboard = evdev.UInput(
            {self._codes.EV_KEY: sorted(set(self._keys.values()))}, name=f"{NAME} keyboard"
        )
        self._buttons = {name: getattr(self._codes, f"BTN_{name.upper()}") for name in BUTTONS}
        self._pointer = self._open_pointer()
        self._joystick: Any = None
        self._down: set[tuple[int, int]] = set()  # device 0 or 1, code

    def key(self, name: str, down: bool) -> None:
        self._press(0, self._keys[name], down)

    def move(self, x: float, y: float) -> None:
        c = self._codes
        self._pointer.write(c.EV_ABS, c.ABS_X, round(min(max(x, 0.0), 1.0) * MOST))
        self._pointer.write(c.EV_ABS, c.ABS_Y, round(min(max(y, 0.0), 1.0) * MOST))
        self._pointer.syn()

    def button(self, name: str, down: bool) -> None:
        self._press(1, self._buttons[name], down)

    def scroll(self, right: int, up: int) -> None:
        c = self._codes
        for code, notches in ((c.REL_HWHEEL, right), (c.REL_WHEEL, up)):
            if notches:
                self._pointer.write(c.EV_REL, code, notches)
        self._pointer.syn()

    def axis(self, name: str, value: float) -> None:
        c = self._codes
        if self._joystick is None:
            info = self._evdev.AbsInfo(0, -SWING, SWING, 0, 0, 0)
            axes = [(getattr(c, f"ABS_{axis.upper()}"), info) for axis in AXES]
            self._joystick = self._evdev.UInput(
                {c.EV_ABS: axes, c.EV_KEY: [c.BTN_SOUTH]}, name=f"{NAME} joystick"
            )
        code = getattr(c, f"ABS_{name.upper()}")
        self._joystick.write(c.EV_ABS, code, round(min(max(value, -1.0), 1.0) * SWING))
        self._joystick.syn()

    def close(self) -> None:
        for device, code in sorted(self._down):
            self._press(device, code, False)
        for opened in (self._keyboard, self._pointer, self._joystick):
            if opened is not None:
                opened.close()

    def _open_pointer(self) -> Any:
        c, info = self._codes, self._evdev.AbsInfo(0, 0, MOST, 0, 0, 0)
        return self._evdev.UInput(
            {
                c.EV_KEY: sorted(self._buttons.values()),
                c.EV_ABS: [(c.ABS_X, info), (c.ABS_Y, info)],
                c.EV_REL: [c.REL_WHEEL, c.REL_HWHEEL],
            },
            name=f"{NAME} pointer",
        )

    def _press(self, device: int, code: int, down: bool) -> None:
        opened = (self._keyboard, self._pointer)[device]
        opened.write(self._codes.EV_KEY, code, int(down))
        opened.syn()
        (self._down.add if down else self._down.discard)((device, code))
