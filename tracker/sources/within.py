"""Work on a device that may never answer."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from tracker.sources.source import CameraError

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T], what: str) -> T:
    """The outcome of `work`, which may take so long; CameraError names `what` if it does not end.

    Its thread is then left behind.
    """
    outcome: list[T | Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # the thread's top: raised again below
            outcome.append(error)

    thread = Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise CameraError("no_frames", f"{what} does not answer; unplug it and plug it in again")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
