"""Ctrl-C and SIGTERM end a run after the step it is in, with a checkpoint."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """A run was asked to stop and did so; its message says how to go on."""


class StopWish:
    """Set by the first signal; a second one then does what it always did."""

    def __init__(self) -> None:
        self.made = False


@contextmanager
def stop_wish() -> Iterator[StopWish]:
    """Catch the signals while a run goes on; in other threads than the main one nothing happens."""
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        wish.made = True
        signal.signal(number, before[signal.Signals(number)])

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
