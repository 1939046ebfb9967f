"""Ctrl-C, SIGTERM and SIGHUP: a question that a job asks between two frames or steps, or a call.

And how one process of this program asks another to stop in that way.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = 130  # exit code
# SIGHUP: the terminal was closed; Windows does not know it. SIGBREAK: what Windows has for a
# process group of one's own, which never gets SIGINT.
SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if name in signal.Signals.__members__
)  # fmt: skip


class Stopped(Exception):
    """A job was asked to stop and did so; its message says how to go on."""


@contextmanager
def stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Inside, the first of SIGNALS only makes the yielded function true.

    A second one of its kind acts as usual, so that a job that hangs can still be ended. In other
    threads than the main one nothing is caught.
    """
    seen = False

    def note(number: int) -> None:
        nonlocal seen
        seen = True
        signal.signal(number, before[number])

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = on_signal(note)
    try:
        yield lambda: seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def on_signal(act: Callable[[int], None]) -> dict[int, signal._HANDLER]:
    """From now on SIGNALS call `act` with their number. Main thread only.

    Returns the handlers of before, for `signal.signal`. Under 'nohup' SIGHUP stays ignored.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        act(number)

    wanted = [s for s in SIGNALS if s.name != "SIGHUP" or signal.getsignal(s) != signal.SIG_IGN]
    return {int(number): signal.signal(number, handle) for number in wanted}


def apart() -> dict[str, Any]:
    """Options of `subprocess.Popen` for a child that outlives this process and can be asked to
    stop. It hears no Ctrl-C of this terminal.
    """
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def ask_to_stop(child: subprocess.Popen[bytes]) -> None:
    """Make the `stop_on_signal` of a child begun with `apart` true; it may go on for a while.

    On Windows `os.kill` with SIGINT ends a process at once, whatever it is writing, so it gets
    Ctrl-Break.
    """
    if sys.platform == "win32":
        child.send_signal(signal.CTRL_BREAK_EVENT)
    else:
        child.send_signal(signal.SIGINT)
