"""An output of the live pipeline: behind a bounded backlog, on a thread of its own.

Whatever it does there, the frames do not wait: what it has no time for is dropped and counted, and
one that raises is closed and says why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event
from typing import Literal

from tracker.errors import UserError, sentence
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.output import About, Heard, Output
from tracker.result import Result
from tracker.slots import Backlog
from tracker.types import Frame

Phase = Literal["opening", "running", "failed", "closed"]
# Frames wait in `BACKLOG` bytes, `MOST` at most: what is sent should not be old.
BACKLOG, MOST = 32 << 20, 8
# Seconds without a frame after which an output is told that nothing is seen. Where frames come more
# slowly, twice the time between the last two, up to the second number.
SILENCE, LONGEST_SILENCE = 0.5, 2.0
ENDS_WITHIN = 5.0  # s that one before to the same target may take
EASE = 0.1  # weight of the newest frame in the average

log = logging.getLogger("tracker.outputs")


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """How an output is doing."""

    target: str
    phase: Phase = "opening"
    fps: float = 0.0  # frames it took a second, averaged; 0 while nothing comes
    sent: int = 0  # frames it took
    dropped: int = 0  # frames it had no time for
    error: str | None = None  # why it failed
    heard: str = ""  # who listens, in words; '' where nobody can say


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    frame: Frame
    result: Result | None
    used: tuple[UsedModel, ...]


class LiveOutput:
    """Is an `Output` itself: `put` and `close` return at once, from any thread."""

    def __init__(
        self,
        target: str,
        opened: Callable[[str, About], Output],
        about: About,
        failed: Callable[[str], None],
        after: LiveOutput | None = None,
    ) -> None:
        """Nothing is opened before `run`. `about.used` is asked at each `put`; `failed` is told.

        `after`: one to the same target, whose end is waited for: a port or file is let go first.
        """
        self._opened, self._failed, self._after = opened, failed, after
        self._over = Event()
        self._output: Output | None = None
        self._used = about.models_now()
        self._used_now, self._about = about.models_now, replace(about, used=lambda: self._used)
        self._backlog: Backlog[_Item] = Backlog(BACKLOG)
        self._dropped, self._whole = 0, True
        self._last: tuple[Frame, float] | None = None  # taken last, and when
        self._is_silent, self._patience = False, SILENCE
        self._facts = OutputFacts(target)

    @property
    def facts(self) -> OutputFacts:
        """How it is doing, now."""
        is_flowing = self._facts.phase == "running" and not self._is_silent
        fps = self._facts.fps if is_flowing else 0.0
        output = self._output
        heard = output.heard() if isinstance(output, Heard) and not self.ended else ""
        return replace(self._facts, dropped=self._dropped, fps=fps, heard=heard)

    @property
    def ended(self) -> bool:
        """Has it closed, or failed?"""
        return self._facts.phase in ("failed", "closed")

    def put(self, frame: Frame, result: Result | None) -> None:
        """Take a frame in, or drop it."""
        size = max(0 if frame.bgr is None else frame.bgr.nbytes, BACKLOG // MOST)
        if not self._backlog.put(_Item(frame, result, self._used_now()), size) and not self.ended:
            self._dropped += 1

    def close(self, whole: bool) -> None:
        """Take nothing in any more; `run` ends when what waits is done."""
        self._whole = whole
        self._backlog.close()

    def run(self) -> None:
        """Open at the first frame, pass on, close. The thread's body; it raises nothing."""
        output: Output | None = None
        try:
            while not self._backlog.finished:
                item = self._backlog.get(self._patience)
                if item is None:
                    self._tell_silence(output)
                    continue
                self._used = item.used
                if output is None:
                    self._wait_for_the_one_before()
                    self._output = output = self._opened(self._facts.target, self._about)
                    self._facts = replace(self._facts, phase="running")
                output.put(item.frame, item.result)
                self._count(item.frame)
            closing, output = output, None
            if closing is not None:
                closing.close(self._whole)
            self._facts = replace(self._facts, phase="closed")
        except Exception as error:  # the thread's top: it may raise anything, the rest goes on
            self._fail(error, output)
        finally:
            self._over.set()

    def _wait_for_the_one_before(self) -> None:
        if self._after is not None:
            self._after._over.wait(ENDS_WITHIN)
            self._after = None

    def _count(self, frame: Frame) -> None:
        now, facts = time.monotonic(), self._facts
        fps = facts.fps
        if self._last is not None:
            seconds = max(now - self._last[1], 1e-6)
            self._patience = min(max(2 * seconds, SILENCE), LONGEST_SILENCE)
            if not self._is_silent:
                fps = 1 / (1 / fps + EASE * (seconds - 1 / fps)) if fps else 1 / seconds
        self._last, self._is_silent = (frame, now), False
        self._facts = replace(facts, sent=facts.sent + 1, fps=fps)

    def _tell_silence(self, output: Output | None) -> None:
        """Once for each silence: the last pose does not stay for ever."""
        if output is None or self._last is None or self._is_silent:
            return
        frame, when = self._last
        self._is_silent = True
        output.put(Frame(frame.index, frame.t + time.monotonic() - when, None), None)

    def _fail(self, error: Exception, output: Output | None) -> None:
        self._backlog.close()
        if output is not None:
            with suppress(Exception):  # it is broken already
                output.close(False)
        words = f"{self._facts.target} ended, the rest goes on: {sentence(error)}"
        self._facts = replace(self._facts, phase="failed", error=words)
        log.warning("%s", words, exc_info=None if isinstance(error, UserError) else error)
        self._failed(words)
