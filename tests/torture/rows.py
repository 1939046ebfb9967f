"""One line of the table, and how a process is killed."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from select import select

PATIENCE = 900.0  # seconds until a child must have begun, or be where it is killed
Say = Callable[[object], None]


@dataclass(slots=True, eq=False)
class Row:
    """What was tried, how often, and what of it did not hold."""

    name: str
    promise: str
    tried: int = 0
    wrong: list[str] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)  # worst values, for the last column

    def worst(self, what: str, value: float) -> None:
        """Remember the largest."""
        self.seen[what] = max(self.seen.get(what, value), value)

    def count(self, what: str, more: float = 1) -> None:
        """Remember a sum."""
        self.seen[what] = self.seen.get(what, 0) + more


def killed(
    work: Callable[[Say], None], after: Callable[[], float], until: str = "ready"
) -> tuple[list[str], bool]:
    """Run `work` in a forked child and kill it -9 `after()` seconds past the line `until`.

    The lines that it said, whole ones only, and whether it was killed before its end.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        faulthandler.dump_traceback_later(PATIENCE - 20)  # to stderr, for whoever looks into it
        status = 1
        try:
            work(lambda word: os.write(writing, f"{word}\n".encode()))  # type: ignore[arg-type]
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        first = b"" if not select([reading], [], [], PATIENCE)[0] else pipe.readline()
        if first.decode().strip() != until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"the child said {first!r} within {PATIENCE:g} s, not {until!r}")
        end = time.monotonic() + after()
        done = 0
        while time.monotonic() < end and not done:
            time.sleep(0.0005)
            done, status = os.waitpid(child, os.WNOHANG)
        if not done:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        rest = pipe.read()
    lines = rest.decode().split("\n")[:-1]
    was_killed = os.WIFSIGNALED(status)
    assert was_killed or os.waitstatus_to_exitcode(status) == 0, "the child failed by itself"
    return lines, was_killed


def aside(work: Callable[[Say], None]) -> list[str]:
    """Do it in a forked child, to its end: whatever starts threads may not run in the parent."""

    def whole(say: Say) -> None:
        say("ready")
        work(say)

    lines, was_killed = killed(whole, lambda: 3600)
    assert not was_killed
    return lines


def dice(seed: int) -> random.Random:
    """The same ones in every run."""
    return random.Random(seed)
