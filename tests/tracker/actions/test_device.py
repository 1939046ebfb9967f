"""Keys and pointer: typed into a real window on a real X server and read back; uinput's codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from tests.helpers.screen import SIZE_WH, missing, terminal, xvfb
from tracker.actions import device
from tracker.actions.device import DeviceRunner, open_device
from tracker.actions.hotkey import _watch
from tracker.actions.runners import parse_run
from tracker.actions.uinput_device import UinputDevice
from tracker.errors import UserError

ROOT = Path(__file__).parents[3]


class Noted:
    """A device that notes what it is told."""

    name = "noted"

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def key(self, name: str, down: bool) -> None:
        self.told.append((name, "down" if down else "up"))

    def move(self, x: float, y: float) -> None:
        self.told.append(("move", x, y))

    def button(self, name: str, down: bool) -> None:
        self.told.append((f"button {name}", "down" if down else "up"))

    def scroll(self, right: int, up: int) -> None:
        self.told.append(("scroll", right, up))

    def axis(self, name: str, value: float) -> None:
        self.told.append((name, value))

    def close(self) -> None:
        self.told.append(("close",))


def told(text: str, *phases: str, value: float = 0.0) -> list[tuple[object, ...]]:
    """What a device is told when a rule goes through these phases."""
    noted = Noted()
    runner = DeviceRunner(noted)
    for phase in phases:
        runner.run(parse_run(text).what, phase, value)
    return noted.told


def test_what_rules_do_to_a_device() -> None:
    assert told("key:ctrl+t", "begin", "end") == [
        ("ctrl", "down"), ("t", "down"), ("t", "up"), ("ctrl", "up"),
    ]  # fmt: skip
    assert told("keys:a b", "begin") == [("a", "down"), ("a", "up"), ("b", "down"), ("b", "up")]
    assert told("key:a", "begin", "repeat", "end") == 2 * [("a", "down"), ("a", "up")]
    assert told("hold:shift+a", "begin") == [("shift", "down"), ("a", "down")]
    assert told("hold:shift+a", "end") == [("a", "up"), ("shift", "up")]
    assert told("click:double", "begin", "end") == 2 * [
        ("button left", "down"), ("button left", "up"),
    ]  # fmt: skip
    assert told("scroll:down 3", "begin", "end") == [("scroll", 0, -3)]
    assert told("joystick:x", "value", value=-0.5) == [("x", -0.5)]
    assert told("joystick:x", "begin", "end") == [("x", 1.0), ("x", 0.0)]


@pytest.mark.parametrize("text", ["key:shift+insert", "keys:a shift+insert", "hold:shift+insert"])
def test_a_key_that_is_missing_leaves_no_other_one_down(text: str) -> None:
    """As a Mac has no insert."""

    class Small(Noted):
        def key(self, name: str, down: bool) -> None:
            if name == "insert":
                raise OSError("the keyboard of this system has no key 'insert'")
            super().key(name, down)

    small = Small()
    for phase in ("begin", "end") if text.startswith("hold") else ("begin",):
        with pytest.raises(OSError, match="no key 'insert'"):
            DeviceRunner(small).run(parse_run(text).what, phase, 0.0)
        last = dict(small.told)
        assert last["shift"] == "up", phase


def test_scrolling_by_a_slider_is_a_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([i / 20 for i in range(21)])
    monkeypatch.setattr(device.time, "monotonic", lambda: next(now))
    phases = ["value"] * 21
    assert told("scroll:up", *phases, value=8.0) == 8 * [("scroll", 0, 1)], "8 notches in a second"


class FakeEvdev:
    """evdev's names and numbers, those of linux/input-event-codes.h; notes what is written."""

    class AbsInfo(tuple):
        def __new__(cls, *values: int) -> FakeEvdev.AbsInfo:
            return tuple.__new__(cls, values)

    def __init__(self) -> None:
        self.made: list[FakeEvdev.UInputDouble] = []
        self.ecodes = pytest.importorskip("evdev", reason="evdev is not installed").ecodes

    def UInput(self, events: object, name: str) -> FakeEvdev.UInputDouble:
        self.made.append(FakeEvdev.UInputDouble(events, name))
        return self.made[-1]

    class UInputDouble:
        def __init__(self, events: object, name: str) -> None:
            self.events, self.name = events, name
            self.written: list[object] = []

        def write(self, kind: int, code: int, value: int) -> None:
            self.written.append((kind, code, value))

        def syn(self) -> None:
            self.written.append("syn")

        def close(self) -> None:
            self.written.append("close")


def test_uinput_writes_the_kernels_codes() -> None:
    """EV_KEY 1, EV_REL 2, EV_ABS 3; KEY_SPACE 57, KEY_PLAYPAUSE 164, BTN_LEFT 272, REL_WHEEL 8."""
    fake = FakeEvdev()
    opened = UinputDevice(fake)
    opened.key("space", True)
    opened.key("space", False)
    opened.key("play_pause", True)
    opened.move(0.5, 2.0)
    opened.button("left", True)
    opened.scroll(0, -2)
    opened.axis("y", -1.0)
    opened.close()
    keyboard, pointer, joystick = fake.made
    assert keyboard.written == [
        (1, 57, 1), "syn", (1, 57, 0), "syn", (1, 164, 1), "syn", (1, 164, 0), "syn", "close",
    ]  # fmt: skip
    assert pointer.written == [
        (3, 0, 32768), (3, 1, 65535), "syn", (1, 272, 1), "syn", (2, 8, -2), "syn", (1, 272, 0),
        "syn", "close",
    ]  # fmt: skip
    assert joystick.written == [(3, 1, -32767), "syn", "close"]


def test_why_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(device.os.path, "exists", lambda path: False)
    monkeypatch.setattr(device.sys, "platform", "linux")
    with pytest.raises(UserError, match=r"sudo modprobe uinput'; pynput needs an X11 display"):
        open_device()
    works, words = device.status()
    assert works is None and words.startswith("uinput: there is no /dev/uinput")
    monkeypatch.setattr(device.os.path, "exists", lambda path: True)
    monkeypatch.setattr(device.os, "access", lambda path, mode: False)
    assert "join group input" in str(device.why_not_uinput())
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(device, "_dead_display", lambda: None)
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    works, words = device.status()
    if works is not None:  # pynput is installed
        assert works == "pynput" and "under Wayland only in X11 windows" in words


REASON = missing("Xvfb", "xterm") or (None if sys.platform == "linux" else "an X server of Linux")
needs_x = pytest.mark.skipif(REASON is not None, reason=str(REASON))


def on(display: str, code: str) -> str:
    """What a Python of its own prints there: pynput binds to a display when it is imported."""
    env = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT)}
    env.pop("WAYLAND_DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TYPE = """
from tracker.actions.device import DeviceRunner, open_device
from tracker.actions.runners import parse_run
runner = DeviceRunner(open_device("pynput"))
runner.run(parse_run("keys:h e l l o space shift+w minus 7 enter").what, "begin", 0.0)
runner.run(parse_run("hold:shift").what, "begin", 0.0)
runner.run(parse_run("keys:a b").what, "begin", 0.0)
runner.run(parse_run("hold:shift").what, "end", 0.0)
runner.run(parse_run("keys:c enter ctrl+d").what, "begin", 0.0)
runner.close()
"""


@needs_x
def test_keys_arrive_in_a_terminal(tmp_path: Path) -> None:
    pytest.importorskip("Xlib", reason="pynput is not installed")
    out = tmp_path / "typed"
    with xvfb() as display, terminal(display, out):
        on(
            display,
            "from tracker.actions.device import open_device\nopen_device('pynput').move(0.2, 0.2)",
        )  # the keyboard follows the pointer
        time.sleep(0.5)
        on(display, TYPE)
        until = time.monotonic() + 20
        while not (out.exists() and out.read_text().count("\n") == 2):
            assert time.monotonic() < until, out.read_text() if out.exists() else "nothing"
            time.sleep(0.05)
    assert out.read_text() == "hello W-7\nABc\n"


WATCH = """
import json, sys, threading, time
from Xlib import X, display
d = display.Display()
s = d.screen()
mask = X.ButtonPressMask | X.ButtonReleaseMask | X.PointerMotionMask
w = s.root.create_window(0, 0, 800, 600, 0, s.root_depth, event_mask=mask, override_redirect=True)
w.map()
d.sync()
from tracker.actions.device import DeviceRunner, Typed, open_device
from tracker.actions.runners import parse_run
runner = DeviceRunner(open_device("pynput"))
def point(**what): runner.run(Typed(**what), "value", 0.0)
point(kind="move", xy=(0.25, 0.5))
point(kind="button", name="left", down=True)
point(kind="move", xy=(1.0, 1.0))
point(kind="button", name="left", down=False)
runner.run(parse_run("click:right").what, "begin", 0.0)
runner.run(parse_run("scroll:up 2").what, "begin", 0.0)
runner.run(parse_run("scroll:down").what, "begin", 0.0)
time.sleep(0.5)
names = {X.MotionNotify: "move", X.ButtonPress: "down", X.ButtonRelease: "up"}
events = []
while d.pending_events():
    e = d.next_event()
    if e.type in names:
        events.append([names[e.type], e.root_x, e.root_y, e.detail])
print(json.dumps(events))
"""


@needs_x
def test_the_pointer_moves_drags_clicks_and_scrolls_in_a_window() -> None:
    pytest.importorskip("Xlib", reason="pynput is not installed")
    with xvfb() as display:
        events = json.loads(on(display, WATCH))
    last = [SIZE_WH[0] - 1, SIZE_WH[1] - 1]
    assert next(e for e in events if e[0] == "move")[1:3] == [200, 300]
    assert [e for e in events if e[0] != "move"] == [
        ["down", 200, 300, 1], ["up", *last, 1], ["down", *last, 3], ["up", *last, 3],
        ["down", *last, 4], ["up", *last, 4], ["down", *last, 4], ["up", *last, 4],
        ["down", *last, 5], ["up", *last, 5],
    ], "X calls the wheel buttons 4 and 5"  # fmt: skip


class Keyboard:
    """Reads key events, each (code, is down), then the error of a device that is gone, if told."""

    def __init__(self, reads: list[list[tuple[int, bool]]], fails: bool) -> None:
        self._reads, self._fails = iter(reads), fails
        self._hung, self._other = os.pipe()
        os.write(self._other, b"always something to read")

    def fileno(self) -> int:
        return self._hung

    def read(self) -> list[SimpleNamespace]:
        found = next(self._reads, None)
        if found is None and self._fails:
            raise OSError(19, "No such device")
        return [SimpleNamespace(type=1, code=c, value=int(down)) for c, down in found or []]


def test_a_keyboard_that_is_unplugged_silences_no_other() -> None:
    over, heard = Event(), list[int]()

    def pressed() -> None:
        heard.append(1)
        over.set()

    keyboards = [Keyboard([], fails=True), Keyboard([[], [(29, True), (25, True)]], fails=False)]
    thread = Thread(target=_watch, args=(keyboards, [{29, 97}, {25}], pressed, over), daemon=True)
    thread.start()
    thread.join(10)
    assert heard == [1] and not thread.is_alive()


def test_what_was_held_on_a_keyboard_that_is_unplugged_is_released() -> None:
    """Ctrl of the one does not stay down for the other, whose own chord comes last."""
    over, heard = Event(), list[int]()
    gone = Keyboard([[(29, True)]], fails=True)
    other = Keyboard([[], [(25, True)], [(25, False)], [(29, True), (25, True)]], fails=False)

    def pressed() -> None:
        heard.append(len(list(other._reads)))  # what was still to come
        over.set()

    thread = Thread(
        target=_watch, args=([gone, other], [{29, 97}, {25}], pressed, over), daemon=True
    )
    thread.start()
    thread.join(10)
    assert heard == [0] and not thread.is_alive()


PAUSE = """
import time
from tracker.actions.hotkey import listen
from tracker.actions.pynput_device import PynputDevice
heard = []
end = listen(("ctrl", "alt", "p"), lambda: heard.append(1))
time.sleep(0.5)
device = PynputDevice()
for chord in (["p"], ["ctrl", "p"], ["ctrl", "alt", "p"]):
    for key in chord: device.key(key, True)
    for key in reversed(chord): device.key(key, False)
    time.sleep(0.2)
end()
print(len(heard))
"""


@needs_x
def test_the_keys_of_the_shipped_profiles_are_there() -> None:
    pytest.importorskip("Xlib", reason="pynput is not installed")
    with xvfb() as display:
        printed = on(
            display,
            "from tracker.actions.keys import KEYS\n"
            "from tracker.actions.pynput_device import PynputDevice\n"
            "device = PynputDevice()\n"
            "print(*(n for n in KEYS if not device.knows(n)))",
        )
    assert printed.split() == []


@needs_x
def test_the_pause_key_is_heard_everywhere() -> None:
    pytest.importorskip("Xlib", reason="pynput is not installed")
    with xvfb() as display:
        assert on(display, PAUSE).strip() == "1"


DEAF = """
from tracker.actions import hotkey
hotkey._by_evdev = lambda keys, pressed: lambda: print("by evdev")
hotkey.listen(("ctrl", "p"), print)()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="X11 is of Linux")
def test_a_display_that_does_not_answer_leaves_the_keyboards() -> None:
    """DISPLAY stays set where one has no right to it, or it has gone: pynput cannot be imported."""
    pytest.importorskip("Xlib", reason="pynput is not installed")
    assert on(":4711", DEAF).strip() == "by evdev"


@pytest.mark.skipif(sys.platform != "linux", reason="X11 is of Linux")
def test_a_display_that_does_not_answer_is_told() -> None:
    pytest.importorskip("Xlib", reason="pynput is not installed")
    code = "from tracker.actions import device; print(device.why_not_pynput())"
    assert on(":4711", code) == (
        "pynput cannot use the display :4711; log in to a desktop, or correct DISPLAY\n"
    )
