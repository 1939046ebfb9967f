"""Keys and pointer: what a device can do, which one works here and why not, and who drives it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from engines.installation import install
from tracker.actions.keys import AXES, BUTTONS, chord
from tracker.errors import UserError


class Device(Protocol):
    """Types and points. Every method returns when the system has the event; OSError if it fails."""

    name: str

    def key(self, name: str, down: bool) -> None:
        """Press a key of `KEYS`, or let it go."""
        ...

    def move(self, x: float, y: float) -> None:
        """The pointer to a place of the screen, (0, 0) its top left, (1, 1) its bottom right."""
        ...

    def button(self, name: str, down: bool) -> None:
        """Press one of `BUTTONS`, or let it go."""
        ...

    def scroll(self, right: int, up: int) -> None:
        """Turn the wheel by so many notches."""
        ...

    def axis(self, name: str, value: float) -> None:
        """Move one of `AXES` of a joystick, [-1, 1]."""
        ...

    def close(self) -> None:
        """Let go of what is pressed, and of the device."""
        ...


def press(device: Device, names: Sequence[str]) -> ExitStack:
    """Press keys; closing what this returns lets them go, the last one first.

    Where one of them cannot be pressed, none stays down.
    """
    with ExitStack() as pressed:
        for name in names:
            device.key(name, True)
            pressed.callback(device.key, name, False)
        return pressed.pop_all()


# Devices, the best first; a file each. Each tells in a sentence why it does not work here, or None,
# and opens itself.
def _uinput() -> Device:
    from tracker.actions.uinput_device import UinputDevice

    return UinputDevice()


def _pynput() -> Device:
    from tracker.actions.pynput_device import PynputDevice

    return PynputDevice()


def why_not_uinput() -> str | None:
    """A sentence, or None where it works."""
    if sys.platform != "linux":
        return "uinput is a part of Linux; pynput does it here"
    if not os.path.exists("/dev/uinput"):  # noqa: PTH110
        return "there is no /dev/uinput; run 'sudo modprobe uinput'"
    if not os.access("/dev/uinput", os.W_OK):
        return (
            '/dev/uinput may not be written; as root, write KERNEL=="uinput", '
            'GROUP="input", MODE="0660" to /etc/udev/rules.d/60-uinput.rules and join group input'
        )
    return _missing("evdev")


def why_not_pynput() -> str | None:
    """A sentence, or None where it works."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        return "pynput needs an X11 display and DISPLAY is not set; log in to a desktop"
    return _missing("pynput") or (_dead_display() if sys.platform == "linux" else None)


def _dead_display() -> str | None:
    """DISPLAY stays set where the display has gone, or one has no right to it."""
    try:
        import_module("pynput.keyboard")  # asks the display
    except ImportError:
        place = os.environ["DISPLAY"]
        return f"pynput cannot use the display {place}; log in to a desktop, or correct DISPLAY"
    return None


def _missing(package: str) -> str | None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        return f"{package} is not installed; run: {install('actions')}"
    return None


DEVICES: Mapping[str, tuple[Callable[[], str | None], Callable[[], Device]]] = {
    "uinput": (why_not_uinput, _uinput),
    "pynput": (why_not_pynput, _pynput),
}


def open_device(wish: str = "auto") -> Device:
    """The best that works, or the one of this name. UserError tells why none does."""
    names = list(DEVICES) if wish == "auto" else [wish]
    reasons = []
    for name in names:
        why_not, opened = DEVICES[name]
        reason = why_not()
        if reason is None:
            try:
                return opened()
            except (OSError, ImportError) as error:
                reason = f"{name} did not open: {error}"
        reasons.append(reason)
    raise UserError(f"keys and pointer cannot be used: {'; '.join(reasons)}")


def status() -> tuple[str | None, str]:
    """The device that would be used, and a sentence about it and about the others."""
    reasons = {name: why_not() for name, (why_not, _) in DEVICES.items()}
    works = next((name for name, reason in reasons.items() if reason is None), None)
    others = "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
    if works is None:
        return None, others
    words = f"{works} types keys and moves the pointer"
    if works == "pynput" and os.environ.get("WAYLAND_DISPLAY"):
        words += ", but under Wayland only in X11 windows"
    return works, f"{words}; {others}" if others else words


@dataclass(frozen=True, slots=True)
class Typed:
    """What `DeviceRunner` does: chords to press one after the other, a button, a wheel, an axis."""

    kind: str  # key, hold, click, scroll, joystick; of the pointer: move, button, wheel
    chords: tuple[tuple[str, ...], ...] = ()
    name: str = ""  # of a button, an axis or a direction
    count: int = 1
    xy: tuple[float, float] = (0.0, 0.0)  # of the screen, [0, 1]; notches right and up
    down: bool = False


DIRECTIONS = {"up": (0, 1), "down": (0, -1), "left": (-1, 0), "right": (1, 0)}


def parse_key(text: str) -> Typed:
    """One chord."""
    return Typed("key", (chord(text),))


def parse_keys(text: str) -> Typed:
    """Chords one after the other, spaces between them."""
    chords = tuple(chord(word) for word in text.split())
    if not chords:
        raise ValueError("'keys:' names no key; write keys:ctrl+k ctrl+s")
    return Typed("key", chords)


def parse_hold(text: str) -> Typed:
    """A chord that is down for as long as the condition holds."""
    return Typed("hold", (chord(text),))


def parse_click(text: str) -> Typed:
    """left, middle, right or double."""
    name = text.strip() or "left"
    if name == "double":
        return Typed("click", name="left", count=2)
    if name not in BUTTONS:
        raise ValueError(f"there is no button {name!r}; write one of {', '.join(BUTTONS)}, double")
    return Typed("click", name=name)


def parse_scroll(text: str) -> Typed:
    """up, down, left or right, and how many notches."""
    name, _, count = text.strip().partition(" ")
    if name not in DIRECTIONS or (count and not count.strip().isdigit()):
        raise ValueError(
            f"'scroll:{text}' is no direction; write scroll:up 3, or down, left, right"
        )
    return Typed("scroll", name=name, count=int(count or 1))


def parse_joystick(text: str) -> Typed:
    """One of the axes."""
    name = text.strip()
    if name not in AXES:
        raise ValueError(f"there is no axis {name!r}; write one of {', '.join(AXES)}")
    return Typed("joystick", name=name)


class DeviceRunner:
    """A `Runner` for all that keys and pointer do."""

    def __init__(self, device: Device) -> None:
        """Closes the device in the end."""
        self.device = device
        self._notches = 0.0
        self._scrolled: float | None = None  # when a slider last turned the wheel

    def run(self, what: Typed, phase: str, value: float) -> None:
        fires = phase in ("begin", "repeat")
        if what.kind == "key" and fires:
            for names in what.chords:
                press(self.device, names).close()
        elif what.kind == "hold" and phase == "begin":
            press(self.device, what.chords[0])
        elif what.kind == "hold" and phase == "end":
            with ExitStack() as each:  # also where one of them fails
                for name in what.chords[0]:
                    each.callback(self.device.key, name, False)
        elif what.kind == "click" and fires:
            for _ in range(what.count):
                self.device.button(what.name, True)
                self.device.button(what.name, False)
        elif what.kind == "scroll":
            self._scroll(what, phase, value)
        elif what.kind == "joystick":
            self.device.axis(what.name, value if phase == "value" else float(phase != "end"))
        else:
            self._point(what)

    def _scroll(self, what: Typed, phase: str, value: float) -> None:
        right, up = DIRECTIONS[what.name]
        notches = what.count
        if phase == "value":
            now = time.monotonic()
            if self._scrolled is not None:
                self._notches += value * min(now - self._scrolled, 0.1)
            self._scrolled = now
            notches = int(self._notches)
            self._notches -= notches
        elif phase == "end":
            return
        if notches:
            self.device.scroll(right * notches, up * notches)

    def _point(self, what: Typed) -> None:
        if what.kind == "move":
            self.device.move(*what.xy)
        elif what.kind == "button":
            self.device.button(what.name, what.down)
        elif what.kind == "wheel":
            self.device.scroll(round(what.xy[0]), round(what.xy[1]))

    def close(self) -> None:
        self.device.close()
