"""Threads of the labeller: each does the newest order only, so nobody ever waits in a queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tracker.errors import TELLING
from tracker.slots import Slot
from tracker.types import Frame
from train.project.clips import Clip, ClipFrames
from train.project.layout import Project
from train.project.stills import StillFrames, frames_of

Order = TypeVar("Order")
Found = TypeVar("Found")
WAKE_S = 0.5  # between two looks whether the thread shall end


@dataclass(frozen=True, slots=True, eq=False)
class Done(Generic[Order, Found]):
    """What became of an order: `found`, or a sentence about why not."""

    order: Order
    found: Found | None
    problem: str = ""


class Latest(Generic[Order, Found]):
    """Does the newest order; the others are forgotten. The window takes the outcome when it ticks.

    An exception that nobody expects is raised by the next `take`.
    """

    def __init__(self, work: Callable[[Order], Found], end: Callable[[], None], name: str) -> None:
        """`end` is called on the thread when it is over."""
        self._work, self._end = work, end
        self._orders: Slot[Order] = Slot()
        self._lock = threading.Lock()
        self._done: Done[Order, Found] | None = None
        self._bug: Exception | None = None
        self.is_busy = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def ask(self, order: Order) -> None:
        """Do this next, instead of anything that was asked for and not begun."""
        self.is_busy = True
        self._orders.put(order)

    def take(self) -> Done[Order, Found] | None:
        """The newest outcome, once."""
        if self._bug is not None:
            raise self._bug
        with self._lock:
            done, self._done = self._done, None
        return done

    def close(self, patience: float = 2.0) -> None:
        """End the thread; a decoder that hangs is left behind."""
        self._orders.close()
        self._thread.join(patience)

    def _run(self) -> None:
        try:
            while not self._orders.closed:
                order = self._orders.get(WAKE_S)
                if order is not None:
                    self._carry_out(order)
        except Exception as error:  # handed to the window, which must not go on in silence
            self._bug = error
        finally:
            self._end()

    def _carry_out(self, order: Order) -> None:
        self.is_busy = True
        try:
            done = Done(order, self._work(order))
        except TELLING as error:
            done = Done(order, None, str(error))
        with self._lock:
            self._done = done
        self.is_busy = False


@dataclass(frozen=True, slots=True)
class WantedFrame:
    """A frame of a clip."""

    clip: Clip
    frame: int


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """A frame as decoded, and the times (N,) in seconds of all frames of its clip or set."""

    clip: Clip
    frame: Frame
    times: NDArray[np.float64]


class Decoder:
    """Keeps one clip or set of pictures open and reads what is wanted; used by one thread."""

    def __init__(self, project: Project) -> None:
        """Opens nothing yet."""
        self._project = project
        self._clip: Clip | None = None
        self._frames: ClipFrames | StillFrames | None = None

    def read(self, wanted: WantedFrame) -> DecodedFrame:
        """Decode one frame. UserError when the clip cannot be read."""
        if self._clip != wanted.clip or self._frames is None:
            self.close()
            self._frames = frames_of(self._project, wanted.clip)
            self._clip = wanted.clip
        times = np.asarray(self._frames.times, np.float64)
        at = min(max(wanted.frame, 0), len(times) - 1)
        return DecodedFrame(wanted.clip, self._frames.frame(at), times)

    def close(self) -> None:
        """Close the clip."""
        if self._frames is not None:
            self._frames.close()
        self._clip = self._frames = None
