"""Which frame of which clip is on the screen, which one is wanted there, and playing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from train.project.clips import Clip
from train.project.labels import FrameLabel
from train.project.layout import Project
from ui.label.threads.workers import DecodedFrame, Decoder, Latest, WantedFrame

LAG_S = 0.5  # a clip that is decoded slower than it plays is shown slower
Key = tuple[str, int]  # name of a clip, number of a frame


class Screen:
    """Asks for frames and takes the newest. `say` gets sentences; `version` counts changes."""

    def __init__(
        self, project: Project, clips: tuple[Clip, ...], say: Callable[[str], None],
        clock: Callable[[], float], start: Key | None = None,
    ) -> None:  # fmt: skip
        """`clips` has one at least. Shows `start`, else the first frame of the first one."""
        self.clips, self._say, self._clock = clips, say, clock
        self.version = 0
        self.clip = next((c for c in clips if start is not None and c.name == start[0]), clips[0])
        frame = start[1] if start is not None and self.clip.name == start[0] else 0
        self.frame = min(max(frame, 0), max(self.clip.frames, 1) - 1)
        self.seen: DecodedFrame | None = None
        self.problem = ""  # why the wanted frame is not there
        self._playing: tuple[float, float] | None = None  # clock and clip time it started at
        self._decoder = Decoder(project)
        self._reader = Latest(self._decoder.read, self._decoder.close, "label-decoder")
        self._ask()

    @property
    def key(self) -> Key | None:
        """The frame on the screen."""
        return None if self.seen is None else (self.seen.clip.name, self.seen.frame.index)

    @property
    def is_current(self) -> bool:
        """Is the frame on the screen the one that was asked for?"""
        return self.key == (self.clip.name, self.frame)

    @property
    def is_open(self) -> bool:
        """Is a frame of the wanted clip on the screen?"""
        return self.seen is not None and self.seen.clip == self.clip

    @property
    def t(self) -> float:
        """Seconds in the clip of the frame on the screen."""
        return self.seen.frame.t if self.seen is not None and self.is_open else 0.0

    def times(self) -> NDArray[np.float64]:
        """Seconds (N,) of the frames of the clip; an estimate while it is being opened."""
        if self.seen is not None and self.is_open:
            return self.seen.times
        return np.arange(max(self.clip.frames, 1)) / (self.clip.fps or 25)

    def time_of(self, label: FrameLabel) -> float:
        """Where a labelled frame of the clip lies in time; pictures lie a second apart."""
        return float(label.frame) if self.clip.is_stills else label.t

    def end_of(self, frame: int) -> float:
        """When a frame ends, which is when the next one begins."""
        times = self.times()
        if frame + 1 < len(times):
            return float(times[frame + 1])
        return float(times[-1] + 1 / (self.clip.fps or 25))

    def at(self, t: float) -> int:
        """The frame that is shown at time t."""
        last = len(self.times()) - 1
        return min(max(int(np.searchsorted(self.times(), t, "right")) - 1, 0), last)

    def tick(self) -> None:
        """Take what was decoded, and let the clip play on."""
        done = self._reader.take()
        if done is not None:
            self._take(done.found, done.problem)
        if self._playing is not None:
            self._play_on(*self._playing)

    def go(self, frame: int) -> None:
        """Show a frame of this clip; playing stops."""
        self.show(self.clip, frame)

    def show(self, clip: Clip, frame: int = 0) -> None:
        """A frame of any clip; playing stops."""
        self._playing = None
        self._want(clip, frame)

    def visit(self, key: Key) -> None:
        """The same by name."""
        clip = next((c for c in self.clips if c.name == key[0]), None)
        if clip is None:
            self._say(f"{key[0]} is not among the clips any more; see 'train check'")
        else:
            self.show(clip, key[1])

    def next_clip(self, by: int) -> None:
        """The next clip, or the one before; round and round."""
        self.show(self.clips[(self.clips.index(self.clip) + by) % len(self.clips)])

    @property
    def is_playing(self) -> bool:
        """Does the clip play?"""
        return self._playing is not None

    def play(self) -> None:
        """Start or stop; from the start again where the end was reached."""
        if self.is_playing:
            self.pause()
            self._say("paused")
            return
        if self.frame >= len(self.times()) - 1:
            self._want(self.clip, 0)
        self._playing = (self._clock(), float(self.times()[self.frame]))
        pictures = self.clip.is_stills
        more = "one picture a second" if pictures else "hold a number key to label what is shown"
        self._say(f"playing; {more}")

    def pause(self) -> None:
        """Stop at the frame on the screen."""
        if self._playing is not None:
            self._playing = None
            self._want(self.clip, self.seen.frame.index if self.seen and self.is_open else 0)

    def close(self) -> None:
        """Let go of the clip."""
        self._reader.close()

    def _play_on(self, since: float, start: float) -> None:
        times, now = self.times(), self._clock()
        t = start + now - since
        seen = self.seen.frame.index if self.seen is not None and self.is_open else None
        if seen is not None and t - self.end_of(seen) > LAG_S:
            self._playing, t = (now, self.t), self.t
        at = self.at(t)
        if at == len(times) - 1 and self.key == (self.clip.name, at):
            self.pause()
            self._say("the end")
        elif at != self.frame:
            self._want(self.clip, at)

    def _want(self, clip: Clip, frame: int) -> None:
        last = (len(self.times()) if clip == self.clip else max(clip.frames, 1)) - 1
        self.clip, self.frame = clip, min(max(frame, 0), last)
        self._ask()
        self.version += 1

    def _ask(self) -> None:
        self.problem = ""
        self._reader.ask(WantedFrame(self.clip, self.frame))

    def _take(self, seen: DecodedFrame | None, problem: str) -> None:
        if seen is None:
            self.problem, self._playing = problem, None
            self._say(problem)
        elif seen.clip == self.clip:
            self.seen = seen
            self.frame = min(self.frame, len(seen.times) - 1)
        self.version += 1
