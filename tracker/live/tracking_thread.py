"""The tracker's thread of the live pipeline: newest frame in, frame with results out.

It swaps trackers between two frames when another configuration is wanted, runs a second one beside
it for comparison, and survives a frame on which the tracker fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol

from tracker.config import TrackerConfig
from tracker.errors import UserError, sentence
from tracker.find.locate import Model
from tracker.load import used_models
from tracker.outputs.landmark_files import UsedModel
from tracker.result import Result, Shown
from tracker.slots import Slot
from tracker.timings import Timings
from tracker.types import Frame, Image, Kind

STUMBLES = 30  # frames in a row on which the tracker may fail before it is given up
REMEMBERED = 10.0  # seconds for which a failed frame is worth a sentence
EASE = 0.1  # weight of the newest frame in the averages
CANNOT_LOAD = (UserError, OSError, ValueError, RuntimeError)
WAIT = 0.2  # seconds for a frame, until wishes are looked at again


class LiveTracker(Protocol):
    """What the pipeline needs of a tracker; see `tracker.track.Tracker`."""

    timings: Timings

    @property
    def models(self) -> Mapping[Kind, Model]: ...
    @property
    def lag_ms(self) -> float: ...
    def process(self, frame_bgr: Image, t: float) -> Result: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


MakeTracker = Callable[[TrackerConfig], LiveTracker]


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """A frame on its way to the tracker."""

    serial: int
    part: int  # rises where the flow of pictures broke
    frame: Frame  # with pixels
    t: float  # monotonic seconds of its hand-over


@dataclass(frozen=True, slots=True)
class TrackingFacts:
    """How the tracker is doing."""

    network_ms: float = 0.0  # per frame, averaged
    tracker_ms: float = 0.0
    lag_ms: float = 0.0
    failed: int = 0  # frames
    used: tuple[UsedModel, ...] = ()  # empty until the networks are loaded
    other_used: tuple[UsedModel, ...] = ()  # of the second tracker


class Notes:
    """What went wrong and still matters, one sentence per matter. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing."""
        self._lock, self._clock = Lock(), clock
        self._notes: dict[str, tuple[str, float, float]] = {}  # sentence, when, until

    def add(self, matter: str, sentence: str, seconds: float = float("inf")) -> None:
        """Remember it for so long, or until it is cleared."""
        now = self._clock()
        with self._lock:
            self._notes[matter] = (sentence, now, now + seconds)

    def clear(self, matter: str) -> None:
        """It is settled."""
        with self._lock:
            self._notes.pop(matter, None)

    @property
    def newest(self) -> str | None:
        """The last sentence that still matters."""
        now = self._clock()
        with self._lock:
            alive = [note for note in self._notes.values() if note[2] >= now]
        return max(alive, key=lambda note: note[1])[0] if alive else None


@dataclass(slots=True, eq=False)
class _Loaded:
    tracker: LiveTracker
    used: tuple[UsedModel, ...]
    part: int = -1  # of the last frame
    shape: tuple[int, ...] = ()

    def now(self) -> tuple[UsedModel, ...]:
        """The models with what runs them at this moment: an engine may take over at any time."""
        engines = (model.engine for model in self.tracker.models.values())
        return tuple(
            replace(used, provider=engine.provider, threads=engine.threads)
            for used, engine in zip(self.used, engines, strict=True)
        )

    def process(self, item: Captured) -> Result:
        """What is seen; a broken flow or another size of picture is a new stream."""
        bgr = item.frame.bgr
        assert bgr is not None
        if (item.part, bgr.shape) != (self.part, self.shape):
            self.tracker.reset()
            self.part, self.shape = item.part, bgr.shape
        return self.tracker.process(bgr, item.frame.t)


class TrackingThread:
    """Takes the newest frame from `slot`, and gives it to `publish` with what was seen in it."""

    def __init__(
        self,
        slot: Slot[Captured],
        config: TrackerConfig,
        make: MakeTracker,
        publish: Callable[[Shown], None],
        notes: Notes,
        clock: Callable[[], float],
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is loaded before `run`; `ready` hears when a tracker is. What goes wrong with a
        wish is put into `notes`.
        """
        self._slot, self._make, self._publish = slot, make, publish
        self._notes, self._clock, self._ready = notes, clock, ready
        self._lock = Lock()  # guards the wishes
        self._wish: TrackerConfig | None = config
        self._other_wish: tuple[TrackerConfig | None] | None = None
        self._main: _Loaded | None = None
        self._other: _Loaded | None = None
        self._in_row = 0  # frames that failed one after the other
        self.facts = TrackingFacts()

    def configure(self, config: TrackerConfig) -> None:
        """Use this from the next frame on, once it is loaded."""
        with self._lock:
            self._wish = config

    def compare(self, config: TrackerConfig | None) -> None:
        """Run this one beside it, or none."""
        with self._lock:
            self._other_wish = (config,)

    def run(self) -> None:
        """Until the slot is closed. The thread's body; raises what the tracker died of.

        No thread of a tracker outlives it.
        """
        try:
            while not self._slot.closed:
                try:
                    self._follow()
                except Exception as error:  # an engine may raise anything; one bad frame is no end
                    self._stumble(error)
        finally:
            self._main, self._other = _replaced(self._main), _replaced(self._other)

    def _follow(self) -> None:
        while not self._slot.closed:
            self._fulfil_wishes()
            item = self._slot.get(WAIT)
            if item is not None and self._main is not None:
                self._process(self._main, item)

    def _process(self, main: _Loaded, item: Captured) -> None:
        network, begun = main.tracker.timings.seconds["network"], time.perf_counter()
        result = main.process(item)
        tracker_ms = 1e3 * (time.perf_counter() - begun)
        network_ms = 1e3 * (main.tracker.timings.seconds["network"] - network)
        other = None
        if self._other is not None:
            try:
                other = self._other.process(item)
            except CANNOT_LOAD as error:
                self._other = _replaced(self._other)
                self._notes.add("compare", f"the comparison ended: {sentence(error)}")
        self._in_row = 0
        facts, first = self.facts, self.facts.tracker_ms == 0
        self.facts = TrackingFacts(
            network_ms if first else facts.network_ms + EASE * (network_ms - facts.network_ms),
            tracker_ms if first else facts.tracker_ms + EASE * (tracker_ms - facts.tracker_ms),
            main.tracker.lag_ms,
            facts.failed,
            main.now(),
            () if self._other is None else self._other.now(),
        )
        self._publish(Shown(item.serial, item.frame, result, other, item.t, self._clock()))

    def _stumble(self, error: Exception) -> None:
        """A frame failed; too many in a row are the end."""
        self._in_row += 1
        if self._main is None or self._in_row >= STUMBLES:
            raise error
        facts = self.facts
        self.facts = TrackingFacts(
            facts.network_ms, facts.tracker_ms, facts.lag_ms, facts.failed + 1, facts.used,
            facts.other_used,
        )  # fmt: skip
        words = f"the tracker failed on a frame and goes on ({self.facts.failed} so far)"
        self._notes.add("tracker", f"{words}: {sentence(error)}", REMEMBERED)

    def _fulfil_wishes(self) -> None:
        with self._lock:
            wish, other_wish = self._wish, self._other_wish
            self._wish = self._other_wish = None
        if wish is not None:
            try:
                self._main = _replaced(self._main, self._load(wish))
                self._ready()
                self._notes.clear("config")
            except CANNOT_LOAD as error:
                if self._main is None:
                    raise
                self._notes.add("config", f"the old settings stay in use: {sentence(error)}")
        if other_wish is not None:
            self._notes.clear("compare")
            self._other = _replaced(self._other)
            try:
                self._other = None if other_wish[0] is None else self._load(other_wish[0])
            except CANNOT_LOAD as error:
                self._notes.add("compare", f"there is no comparison: {sentence(error)}")

    def _load(self, config: TrackerConfig) -> _Loaded:
        tracker = self._make(config)
        try:
            return _Loaded(tracker, used_models(config, tracker.models))
        except CANNOT_LOAD:  # a model's file is gone
            tracker.close()
            raise


def _replaced(old: _Loaded | None, new: _Loaded | None = None) -> _Loaded | None:
    """The new one; the old one, which is given up, is closed."""
    if old is not None:
        old.tracker.close()
    return new
