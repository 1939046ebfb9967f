"""Keeps one source delivering: opens it, reads it, notices when it fails, opens it again.

Two kinds of thread run in here, started by whoever owns this: one that attends (`run`), and a
reader for each time the source is opened. A reader that never comes back is left behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Condition
from time import monotonic

from tracker.errors import UserError
from tracker.sources.source import (
    CameraError,
    CameraLimits,
    CameraState,
    CameraWatch,
    Gap,
    Source,
    look_at,
)
from tracker.types import Frame

GAPS = 1000  # remembered
STILL = ("frozen", "black")  # phases that are noticed a while after they began
Spawn = Callable[[str, Callable[[], None]], None]  # name and body of a thread to start


@dataclass(slots=True, eq=False)
class _Attempt:
    """One opening of the source and the reading that follows."""

    current: bool = True  # False: given up; what it still brings is thrown away
    done: bool = False
    opened: bool = False
    frames: int = 0
    ended: bool = False
    error: Exception | None = None


class ReconnectingSource:
    """Hands every frame of a source to `put(frame, part)`; `part` rises where the flow broke.

    `put` runs on a reader thread and must not wait. Frame times rise, whatever the source says.
    """

    def __init__(
        self,
        source: Source,
        put: Callable[[Frame, int], None],
        spawn: Spawn,
        clock: Callable[[], float] = monotonic,
        limits: CameraLimits | None = None,
        on_gap: Callable[[Gap], None] = lambda gap: None,
    ) -> None:
        """Nothing is opened before `run`. `on_gap` hears of each gap before the frame after it."""
        self._source, self._put, self._spawn, self._on_gap = source, put, spawn, on_gap
        self._clock, self._limits = clock, limits or CameraLimits()
        self._changed = Condition()  # guards all below
        self._stopping = self._paused = False
        self._attempt = _Attempt()
        self._watch = CameraWatch(source.name, source.live, clock(), self._limits)
        self._times: deque[float] = deque(maxlen=60)  # clock, of the last frames
        self._t: float | None = None  # of the last frame
        self._shift = 0.0  # added to the source's times so that they rise
        self._part, self._lap = 0, 0
        self._gap: Gap | None = None
        self._gaps: deque[Gap] = deque(maxlen=GAPS)

    def run(self) -> None:
        """Attend to the source until `stop`, or until a file is over. The attending thread's body.

        Raises what a reader raised, unless it was a CameraError or UserError.
        """
        failures, stuck = 0, list[_Attempt]()
        try:
            while not self._stopping:
                attempt = self._begin()
                self._attend(attempt)
                self._give_up(attempt)
                if attempt.error is not None and not isinstance(attempt.error, UserError):
                    raise attempt.error
                if attempt.done and not self._source.live:
                    return
                failures = 0 if attempt.frames else failures + 1
                stuck = [a for a in [*stuck, attempt] if not a.done]
                self._rest(failures, stuck)
        finally:
            self._source.close()

    def stop(self) -> None:
        """Ask `run` to end; returns at once."""
        with self._changed:
            self._stopping = True
            self._attempt.current = False
            self._changed.notify_all()

    def pause(self, on: bool) -> None:
        """Hold a file where it is. Cameras go on being read, so that they stay fresh."""
        with self._changed:
            self._paused = on
            self._changed.notify_all()

    @property
    def state(self) -> CameraState:
        """How the source is doing."""
        with self._changed:
            return self._watch.state

    @property
    def fps(self) -> float:
        """Frames per second that came lately; sinks when they stay away."""
        with self._changed:
            if len(self._times) < 2:
                return 0.0
            span, steps = self._times[-1] - self._times[0], len(self._times) - 1
            silence = self._clock() - self._times[-1]
            if silence > 2 * span / steps:
                span += silence
            return steps / span if span > 0 else 0.0

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Times without true pictures, oldest first; the last one may still go on."""
        with self._changed:
            return (*self._gaps, *([] if self._gap is None else [self._gap]))

    def _begin(self) -> _Attempt:
        with self._changed:
            attempt = self._attempt = _Attempt(current=not self._stopping)
            self._watch.opening(self._clock())
            self._part += 1
        self._spawn("camera reader", partial(self._read, attempt))
        return attempt

    def _attend(self, attempt: _Attempt) -> None:
        """Watch a reader until it is done, or not worth waiting for."""
        tick = min(0.1, self._limits.no_frames / 4)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: attempt.done or self._stopping, tick)
                if attempt.done or self._stopping:
                    return
                now, opened = self._clock(), attempt.opened
                self._watch.tick(now)
                self._note_gap()
                if self._watch.wants_reopen(now):
                    return
            if opened and self._source.live and self._source.present() is False:
                self._lost(
                    CameraError(
                        "unplugged",
                        f"{self._source.name} was unplugged; plug it in again, "
                        "it goes on by itself",
                    )
                )
                return

    def _give_up(self, attempt: _Attempt) -> None:
        with self._changed:
            attempt.current = False
        if not attempt.done:
            self._source.close()

    def _rest(self, failures: int, stuck: list[_Attempt]) -> None:
        """Wait before the next attempt, longer after each that failed."""
        limits = self._limits
        pause = min(limits.retry * 2**failures, limits.retry_most)
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, pause)
            if sum(not attempt.done for attempt in stuck) < limits.stuck:
                return
            reason = (
                f"{self._source.name} does not answer at all; unplug it and plug it in again, "
                "or start this program again"
            )
            self._watch.lost("failed", reason, self._clock())
            self._changed.wait_for(lambda: self._stopping or any(a.done for a in stuck))

    def _read(self, attempt: _Attempt) -> None:
        """The body of a reader thread."""
        source = self._source
        try:
            source.open()
            with self._changed:
                if attempt.current:
                    attempt.opened = True
                    self._watch.name = source.name
                    self._watch.opened(self._clock())
                    self._note_gap()
            while self._may_go_on(attempt):
                frame = source.read()
                if frame is None:
                    break
                if self._may_go_on(attempt):
                    self._deliver(frame, attempt)
            self._end(attempt)
        except Exception as error:  # the thread's top: `run` judges it, or the screen shows it
            attempt.error = error
            if attempt.current and isinstance(error, UserError):
                self._lost(error)
        finally:
            with self._changed:
                was_current = attempt.current
            if was_current:  # later attempts may use the source by now
                source.close()
            with self._changed:
                attempt.done = True
                self._changed.notify_all()

    def _may_go_on(self, attempt: _Attempt) -> bool:
        """Unless it was given up; in a paused file, not before that goes on."""
        with self._changed:
            if not self._source.live:
                self._changed.wait_for(lambda: not self._paused or not attempt.current)
            return attempt.current

    def _deliver(self, frame: Frame, attempt: _Attempt) -> None:
        now = self._clock()
        with self._changed:
            due = frame.bgr is not None and self._watch.is_look_due(now)
        look = look_at(frame.bgr) if due and frame.bgr is not None else None
        with self._changed:
            if not attempt.current:
                return
            if self._source.lap != self._lap:
                self._lap = self._source.lap
                self._part += 1
            frame = self._rising(frame)
            attempt.frames += 1
            self._times.append(now)
            self._watch.frame(look, now)
            self._t = frame.t if self._t is None else self._t
            gap = self._note_gap(frame.t)
            self._t = frame.t
            part = self._part
        if gap is not None:
            self._on_gap(gap)
        self._put(frame, part)

    def _rising(self, frame: Frame) -> Frame:
        """The frame with a time after the last one's, also when the source started anew."""
        if self._t is not None and frame.t + self._shift <= self._t:
            self._shift = self._t - frame.t + 1e-3
        return replace(frame, t=frame.t + self._shift) if self._shift else frame

    def _end(self, attempt: _Attempt) -> None:
        """No frame came."""
        with self._changed:
            if not attempt.current:
                return
            now = self._clock()
            if self._source.live:
                name = self._source.name
                reason = f"{name} gives no picture; check its cable, it is opened again by itself"
                self._watch.lost("no_frames", reason, now)
                self._note_gap()
            else:
                self._watch.ended(now)

    def _lost(self, error: UserError) -> None:
        phase = error.phase if isinstance(error, CameraError) else "failed"
        with self._changed:
            self._watch.lost(phase, str(error), self._clock())
            self._note_gap()

    def _note_gap(self, t: float | None = None) -> Gap | None:
        """Follow the state: a gap begins, is known better, or ends at a frame of time t."""
        state = self._watch.state
        if not self._source.live or self._t is None:
            return None
        if state.phase == "running":
            if self._gap is None:
                return None
            gap, self._gap = replace(self._gap, end=t), None
            self._gaps.append(gap)
            return gap
        if self._gap is None:
            since = max(self._clock() - state.since, 0.0) if state.phase in STILL else 0.0
            self._gap = Gap(self._t - since, None, state.phase, state.reason)
        elif state.phase != "opening":
            self._gap = replace(self._gap, phase=state.phase, reason=state.reason)
        return None
