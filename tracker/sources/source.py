"""What a live source is, how it is named, and what state it is in: words for the screen.

`CameraWatch` turns what happens to a source into a `CameraState`. Nothing here starts a thread or
touches a device.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from tracker.errors import UserError
from tracker.types import Frame, Image

Phase = Literal[
    "opening", "running", "no_frames", "frozen", "black", "unplugged", "busy", "ended", "failed"
]
WITH_PICTURE = frozenset({"running", "black", "frozen"})  # phases in which frames do arrive


class CameraError(UserError):
    """A source that cannot be opened or read. `phase` says in which way."""

    def __init__(self, phase: Phase, sentence: str) -> None:
        """The sentence is for the screen."""
        super().__init__(sentence)
        self.phase: Phase = phase


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a source is doing."""

    phase: Phase
    reason: str  # one sentence for the screen: wish, fact, next step
    since: float  # monotonic seconds at which this phase began


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without (true) pictures, in the frames' own times, seconds."""

    start: float  # t of the last frame before
    end: float | None  # t of the first frame after; None: it still lasts
    phase: str  # what it was in the end: a Phase, or 'paused', or 'undecodable'
    reason: str


class Source(Protocol):
    """Anything that gives frames. One thread calls `open` and then `read`, again and again.

    A `read` that never returns is given up: `open` is then called again, by another thread, and
    has to start anew; whatever the stuck `read` still returns is thrown away.
    """

    name: str  # what sentences call it
    identity: str  # survives replugging: a device's stable path or name, a URL, a file name
    live: bool  # True: opened again when it fails; False (a file): None from `read` is the end
    lap: int  # rises when the pictures begin anew, as when a file is played again

    def open(self) -> None:
        """Start; may take long. CameraError (or, for files, UserError) when it cannot."""
        ...

    def read(self) -> Frame | None:
        """Wait for the next frame, `t` in seconds and rising. None: none came; see `live`.

        The array belongs to whoever gets it and is never written to again.
        """
        ...

    def close(self) -> None:
        """Let go of the device. Any thread, any time, more than once; a waiting `read` returns."""
        ...

    def present(self) -> bool | None:
        """Is the device there? None: cannot be known. Quick."""
        ...


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """When a source is in which state. Seconds."""

    no_frames: float = 2.0  # without a frame; or three times the last interval, if that is longer
    give_up: float = 15.0  # a read that takes so long is given up, and the device opened anew
    open: float = 60.0  # an open that takes so long is given up (some drivers need half of it)
    frozen: float = 3.0  # of the same picture, to the last bit (a camera has noise)
    frozen_reopen: float = 10.0
    black: float = 2.0
    check: float = 0.25  # between two looks at the content
    retry: float = 0.5  # before the device is opened again, doubled each time,
    retry_most: float = 8.0  # up to this
    stuck: int = 3  # reads and opens that never return, at most, until no more are started


class CameraWatch:
    """The state of one source, from what happens to it. Times are monotonic seconds.

    Not safe across threads by itself. `state` is always current as of the last call.
    """

    def __init__(
        self, name: str, live: bool, now: float, limits: CameraLimits | None = None
    ) -> None:
        """`name` is what the sentences call the source."""
        self.name = name
        self._live, self._limits = live, limits or CameraLimits()
        self.state = CameraState("opening", f"opening {name}", now)
        self._alive_at: float | None = None  # when it was opened, or gave its last frame
        self._opened_at = now
        self._interval = 0.0
        self._look_at: float | None = None
        self._same_since: float | None = None  # the same picture was seen from here on
        self._same = 0  # looks that saw it
        self._sum: int | None = None
        self._black_since: float | None = None
        self._shown_frozen: int | None = None  # a still picture for which reopening did not help

    def opening(self, now: float) -> None:
        """The source is being opened. A failure stays on the screen meanwhile."""
        self._alive_at, self._opened_at, self._interval = None, now, 0.0
        self._look_at = self._same_since = self._black_since = None
        if self.state.phase not in ("unplugged", "busy", "failed", "no_frames", "frozen"):
            self._enter("opening", f"opening {self.name}", now)

    def opened(self, now: float) -> None:
        """The source is open; its first frame is awaited."""
        self._alive_at = now
        self._enter("opening", f"waiting for the first picture of {self.name}", now)

    def frame(self, look: Look | None, now: float) -> None:
        """A frame came; `look` is given where `is_look_due` said so."""
        if self._alive_at is not None:
            self._interval = now - self._alive_at
        self._alive_at = now
        if not self._live:
            self._enter("running", "", now)
        elif look is not None:
            self._judge(look, now)
        elif self.state.phase not in WITH_PICTURE:
            self._enter("running", "", now)

    def is_look_due(self, now: float) -> bool:
        """Should the next frame's content be looked at?"""
        return self._live and (
            self._look_at is None or now - self._look_at >= self._limits.check - 1e-9
        )

    def lost(self, phase: Phase, reason: str, now: float) -> None:
        """The source failed; it will be tried again if it is live."""
        self._alive_at = None
        self._enter(phase, reason, now)

    def ended(self, now: float) -> None:
        """A file is over."""
        self._alive_at = None
        self._enter(
            "ended", f"{self.name} has ended; open another one, or play it with --loop", now
        )

    def tick(self, now: float) -> CameraState:
        """Time has passed."""
        silence = 0.0 if self._alive_at is None else now - self._alive_at
        if self._live and silence > self._patience(self._limits.no_frames):
            self._enter(
                "no_frames",
                f"no picture from {self.name} for {silence:.0f} s; check its cable: it goes on, "
                "or is opened again, by itself",
                now - silence,
            )
        return self.state

    def wants_reopen(self, now: float) -> bool:
        """Has it been silent, or frozen, for so long that only opening it again can help?"""
        if not self._live:
            return False
        if self._alive_at is None:
            return now - self._opened_at > self._limits.open
        if now - self._alive_at > self._patience(self._limits.give_up):
            return True
        frozen = self.state.phase == "frozen" and self._sum != self._shown_frozen
        if frozen and now - self.state.since > self._limits.frozen_reopen:
            self._shown_frozen = self._sum  # once: a picture that is still by nature stays so
            return True
        return False

    def _patience(self, limit: float) -> float:
        return max(limit, 3 * self._interval)

    def _judge(self, look: Look, now: float) -> None:
        self._look_at = now
        if look.sum != self._sum or self._same_since is None:
            self._sum, self._same_since, self._same = look.sum, now, 0
        self._same += 1
        if look.sum != self._shown_frozen:
            self._shown_frozen = None
        if not look.is_black:
            self._black_since = None
        elif self._black_since is None:
            self._black_since = now
        if self._black_since is not None and now - self._black_since >= self._limits.black:
            reason = f"{self.name} sends a black picture; open its cover, or turn on a light"
            self._enter("black", reason, self._black_since)
        elif self._same >= 3 and now - self._same_since >= self._limits.frozen:
            reason = f"{self.name} repeats one picture; if that should not be, replug the camera"
            self._enter("frozen", reason, self._same_since)
        elif self._same == 1 or self.state.phase not in WITH_PICTURE:
            self._enter("running", "", now)

    def _enter(self, phase: Phase, reason: str, since: float) -> None:
        if phase != self.state.phase:
            self.state = CameraState(phase, reason, since)
        elif reason != self.state.reason:
            self.state = replace(self.state, reason=reason)


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen in a picture for judging it."""

    sum: int  # checksum of every pixel
    is_black: bool


def look_at(bgr: Image) -> Look:
    """Checksum and darkness of an (H, W, 3) picture; under a millisecond for 1280 x 720."""
    dark = float(np.percentile(bgr[::8, ::8], 99)) < 12
    return Look(zlib.crc32(np.ascontiguousarray(bgr).data), dark)
