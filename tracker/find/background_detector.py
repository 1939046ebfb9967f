"""Runs the detectors of a live tracker on a thread of its own: a look takes longer than a frame.

The tracker hands over a frame when it is done with it (`ask`), goes on, and takes up what was seen
at a later one (`take`). The thread is here and not in `tracker.live.pipeline`, since who looks is
the tracker's own matter: each tracker has its own thread, so that the pipeline can swap and compare
trackers. Offline there is none: a tracker that is not live looks at once, and its results do not
depend on how fast a machine is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread, get_native_id
from time import perf_counter

from tracker.find.detectors import Finder
from tracker.find.views import detect_in_all
from tracker.slots import Slot
from tracker.timings import Timings
from tracker.types import CropBox, Detection, Image, Kind

WAIT = 0.2  # s until the thread looks whether it should end; `close` wakes it earlier
JOIN = 1.0  # s for a detector to return when it is closed
# Older sightings are dropped, in s of stream time. The network judges each in the newest frame, so
# this only spares it looks at places that were left: a hand crosses its own width in about 0.2 s.
STALE = 0.5
BEHIND = 10  # niceness of the thread: where cores are few, the frame and the window come first


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    frame: Image
    t: float
    views: Mapping[Kind, Sequence[CropBox]]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    t: float  # of the frame
    seconds: float  # that the detectors took
    found: Mapping[Kind, list[Detection]]


class BackgroundDetector:
    """One look at a time, of which the newest counts. All methods are for the tracker's thread."""

    def __init__(self, finders: Mapping[Kind, Finder], timings: Timings) -> None:
        """Starts the thread, which alone uses `finders` until `close`; `take` counts its time."""
        self._finders, self._timings = finders, timings
        self._slot: Slot[_Look] = Slot()
        self._lock = Lock()  # guards the three below
        self._asked: _Look | None = None  # and not answered yet
        self._seen: _Seen | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="background detector", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Is a look under way, or not taken up yet?"""
        with self._lock:
            return any(x is not None for x in (self._asked, self._seen, self._error))

    def ask(self, frame_bgr: Image, t: float, views: Mapping[Kind, Sequence[CropBox]]) -> None:
        """Look for these kinds, each in its views of an (H, W, 3) frame of time t; returns at once.

        It replaces what was asked before. The frame must not be changed any more.
        """
        look = _Look(frame_bgr, t, views)
        with self._lock:
            self._asked, self._seen = look, None
        self._slot.put(look)

    def take(self, t: float) -> Mapping[Kind, list[Detection]]:
        """What was seen since the last call, best first, unless it is stale at time t.

        A kind that was not asked for is not in it. Raises what a detector raised, once.
        """
        with self._lock:
            seen, error = self._seen, self._error
            self._seen = self._error = None
        if error is not None:
            raise error
        if seen is None:
            return {}
        self._timings.add("detect", seen.seconds, len(seen.found))
        return seen.found if t - seen.t <= STALE else {}

    def forget(self) -> None:
        """Throw away what was asked and seen, at the start of another stream."""
        with self._lock:
            self._asked = self._seen = self._error = None

    def close(self) -> None:
        """End the thread; at most JOIN seconds, if a detector does not return (it is a daemon)."""
        self._slot.close()
        self._thread.join(JOIN)

    def _run(self) -> None:
        _let_others_first()
        while not self._slot.closed:
            look = self._slot.get(WAIT)
            if look is not None:
                self._answer(look)

    def _answer(self, look: _Look) -> None:
        seen: _Seen | None = None
        failure: BaseException | None = None
        begun = perf_counter()
        try:
            found = {
                kind: detect_in_all(look.frame, views, self._finders[kind])
                for kind, views in look.views.items()
            }
            seen = _Seen(look.t, perf_counter() - begun, found)
        except BaseException as error:  # the thread's top: raised in the tracker
            failure = error
        with self._lock:
            if self._asked is look:  # else others were asked, or it was forgotten meanwhile
                self._asked, self._seen, self._error = None, seen, failure


def _let_others_first() -> None:
    """Lowers what the present thread weighs, where that may be asked for; elsewhere than on Linux
    niceness is a process's.
    """
    if sys.platform == "linux":
        own = get_native_id()
        with suppress(OSError):  # a sandbox may refuse
            os.setpriority(os.PRIO_PROCESS, own, max(BEHIND, os.getpriority(os.PRIO_PROCESS, own)))
