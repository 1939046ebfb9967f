"""Keys for pausing and recentring: heard in every program, where the system lets us listen."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

from engines.installation import install
from tracker.actions.device import why_not_pynput
from tracker.actions.keys import KEYS, MODIFIERS
from tracker.errors import UserError

CALL_OFF = 0.2  # s between two looks whether to end


def listen(keys: Sequence[str], pressed: Callable[[], None]) -> Callable[[], None]:
    """Call `pressed`, on a thread of its own, whenever these keys are down; returns what ends it.

    UserError where nothing can be heard. X11, Windows and macOS by pynput, else the keyboards of
    /dev/input by evdev, which takes the rights of group input.
    """
    why_not = why_not_pynput()
    if why_not is None and not os.environ.get("WAYLAND_DISPLAY"):
        try:
            return _by_pynput(keys, pressed)
        except ImportError as error:  # a display that is set and does not answer
            why_not = str(error).partition("\n")[0]
    if sys.platform == "linux":
        return _by_evdev(keys, pressed)
    raise UserError(f"keys cannot be heard in other programs: {why_not}")


def _by_pynput(keys: Sequence[str], pressed: Callable[[], None]) -> Callable[[], None]:
    from pynput import keyboard

    def word(name: str) -> str:
        known = KEYS[name].pynput
        return known if len(known) == 1 else f"<{known}>"

    listener = keyboard.GlobalHotKeys({"+".join(map(word, keys)): pressed})
    listener.daemon = True
    listener.start()
    listener.wait()
    return lambda: listener.stop()


def _by_evdev(keys: Sequence[str], pressed: Callable[[], None]) -> Callable[[], None]:
    try:
        import evdev
    except ImportError as error:
        raise UserError(
            "keys cannot be heard in other programs: evdev is not installed; "
            f"run: {install('actions')}"
        ) from error
    found = [evdev.InputDevice(path) for path in evdev.list_devices()]
    keyboards = [d for d in found if evdev.ecodes.KEY_A in d.capabilities().get(1, [])]
    if not keyboards:
        raise UserError(
            "keys cannot be heard in other programs: no keyboard of /dev/input may be read; "
            "join group input"
        )
    over = Event()
    codes = [_codes(evdev, name) for name in keys]
    Thread(target=_watch, args=(keyboards, codes, pressed, over), name="keys", daemon=True).start()
    return over.set


def _codes(evdev: Any, name: str) -> set[int]:
    """A modifier is the left or the right one."""
    known = KEYS[name].evdev
    names = [known, known.replace("LEFT", "RIGHT")] if name in MODIFIERS else [known]
    return {getattr(evdev.ecodes, n) for n in names}


def _watch(
    keyboards: Sequence[Any], codes: Sequence[set[int]], pressed: Callable[[], None], over: Event
) -> None:
    left, down, was = list(keyboards), set[int](), False
    while left and not over.is_set():
        for keyboard in select.select(left, [], [], CALL_OFF)[0]:
            try:
                events = list(keyboard.read())
            except OSError:  # it was unplugged
                left.remove(keyboard)
                down.clear()  # what was held on it is not let go any more
                continue
            for event in events:
                if event.type == 1:
                    (down.add if event.value else down.discard)(event.code)
        now = all(down & one for one in codes)
        if now and not was:
            pressed()
        was = now
