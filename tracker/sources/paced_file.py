"""A video file as if it were a camera: played at its own pace, once or again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import monotonic

from tracker.slots import Holder
from tracker.sources.video_file import VideoReader
from tracker.types import Frame

LATE = 0.5  # seconds; whoever is later than that (a pause, a slow disk) starts a new rhythm


class FileSource:
    """Frames with the file's own times, each handed over when it is due.

    With `loop` the times go on rising; `lap` tells how often the file began anew, and `index`
    stays the frame's number in the file.
    """

    live = False

    def __init__(
        self,
        path: Path,
        loop: bool = False,
        speed: float = 1.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`speed` 2 plays twice as fast; `clock` gives seconds."""
        self.name = self.identity = path.name
        self.lap = 0
        self._path, self._loop, self._speed, self._clock = path, loop, speed, clock
        self._closed = Event()
        self._holder: Holder[_Player] = Holder(lambda player: player.close())

    def open(self) -> None:
        """Open the file, at its start; UserError when it holds no video."""
        ticket = self._holder.begin()
        player = _Player(self._path)
        self.lap, self._closed = 0, player.closed
        self._holder.keep(ticket, player)
        self._offset = 0.0  # seconds, of this lap's start
        self._anchor: float | None = None  # clock at which t = 0 would have been due

    def read(self) -> Frame | None:
        """Wait until the next frame is due; None at the end."""
        with self._holder.use() as player:
            if player is None:
                return None
            frame = next(player.frames, None)
            if frame is None and self._loop:
                self._offset += player.rewind()
                self.lap += 1
                frame = next(player.frames, None)
            if frame is None:
                return None
            frame = replace(frame, t=frame.t + self._offset)
            wait = self._wait(frame.t)
            if wait > 0 and player.closed.wait(wait):
                return None
            player.last = frame.t - self._offset
            return frame

    def close(self) -> None:
        """Close the file; a waiting `read` returns."""
        self._closed.set()
        self._holder.drop()

    def present(self) -> bool | None:
        """A file does not come and go."""
        return None

    def _wait(self, t: float) -> float:
        """Seconds until a frame of time t is due."""
        now = self._clock()
        due = t / self._speed
        if self._anchor is None or now - self._anchor - due > LATE:
            self._anchor = now - due
        return self._anchor + due - now


class _Player:
    """One open file and where it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.closed = Event()
        self.last = 0.0  # t of the last frame in the file
        self._reader = VideoReader(path)
        self.frames: Iterator[Frame] = self._reader.frames()

    def rewind(self) -> float:
        """Start again; how long the file was, in seconds."""
        length = self.last + float(1 / self._reader.facts.rate)
        self._reader.close()
        self._reader = VideoReader(self._path, self._reader)
        self.frames = self._reader.frames()
        return length

    def close(self) -> None:
        self._reader.close()
