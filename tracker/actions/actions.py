"""Actions as an output of the pipeline: each frame goes to the rules, their events to the runners.

The profile is read again when its file is saved. Switched off, or trying out, nothing is done: what
had begun is ended first. Any thread may switch; `put` and `close` are the output's own thread's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from tracker.actions.conditions import told_by
from tracker.actions.hotkey import listen
from tracker.actions.profile import Faulty, Profile, read_profile
from tracker.actions.rules import Names, Row, Rules
from tracker.actions.run import Event
from tracker.actions.runners import Latency, Runners
from tracker.errors import UserError
from tracker.find.model_file import ModelInfo
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame

LOOK_AGAIN = 0.5  # s between two looks at the profile's file
KEPT = 200  # events that are remembered

log = logging.getLogger("tracker.actions")


@dataclass(frozen=True, slots=True)
class Fired:
    """Something that fired, or would have."""

    t: float  # of the frame, s
    name: str
    run: str
    after: float = 0.0  # s for which things could fire, as in ActionsState.seconds


@dataclass(frozen=True, slots=True)
class ActionsState:
    """How things stand, at one moment."""

    path: Path
    rows: tuple[Row, ...] = ()
    on: bool = True
    test: bool = False  # shows, and does nothing
    enabled: bool = True  # by the enabling gesture
    fired: tuple[Fired, ...] = ()  # the last ones
    count: int = 0  # of all since it began, or since the test began,
    seconds: float = 0.0  # in so much of the stream
    problems: tuple[str, ...] = ()  # sentences
    pause: str = ""  # the keys that switch everywhere
    wake: str = ""  # what enables it, where something does

    @property
    def per_hour(self) -> float | None:
        """Firings an hour: false ones, where nothing should have fired. None before a second."""
        return None if self.seconds < 1 else 3600 * self.count / self.seconds


class Actions:
    """An `Output`: see `tracker/outputs/output.py`. One for a whole run, whatever the camera."""

    def __init__(
        self,
        path: Path,
        on: bool = True,
        test: bool = False,
        make_runners: Callable[[Mapping[str, object]], Runners] = Runners,
    ) -> None:
        """Reads the profile: UserError where it cannot be used. Nothing is opened yet."""
        self._profile = read_profile(path)
        self._read_at = _stamp(path)
        self._make = make_runners
        self._runners: Runners | None = None
        self._rules: Rules | None = None
        self._used_now: Callable[[], tuple[UsedModel, ...]] = tuple
        self._used: tuple[UsedModel, ...] = ()
        self._names: Names = {}
        self._told: tuple[str, ...] | None = None  # of no model yet
        self._lock = Lock()  # guards all above and below
        self._on, self._test = on, test
        self._fault: str | None = None  # of the file as it was saved last
        self._deaf: str | None = None  # why the pause key cannot be heard
        self._stop_listening: list[Callable[[], None]] = []
        self._recentre: Callable[[], None] = lambda: None
        self._looked_at = 0.0
        self._fired: list[Fired] = []
        self._count, self._seconds = 0, 0.0
        self._t: float | None = None
        self._size_wh = (1, 1)
        self._latencies: list[Latency] = []  # of earlier runners

    @property
    def path(self) -> Path:
        """Of the profile."""
        return self._profile.path

    def state(self) -> ActionsState:
        """For the window; returns at once."""
        with self._lock:
            rules, runners = self._rules, self._runners
            problems = [p for p in (self._fault, self._deaf) if p is not None]
            problems += [] if runners is None else runners.errors
            rows = self._waiting() if rules is None else rules.rows()
            return ActionsState(
                self.path, rows, self._on, self._test, rules is None or rules.is_enabled,
                tuple(self._fired), self._count, self._seconds, tuple(problems),
                "" if self._deaf else "+".join(self._profile.pause), self._wake(),
            )  # fmt: skip

    def _wake(self) -> str:
        enable = self._profile.enable
        if enable is None:
            return ""
        return enable.when.text if enable.hand == "any" else f"{enable.hand} {enable.when.text}"

    def switch(self, on: bool) -> None:
        """Do things from now on, or do nothing."""
        with self._lock:
            self._stop()
            self._on = on

    def toggle(self) -> None:
        """The other way; what the pause key does."""
        self.switch(not self._on)

    def try_out(self, on: bool) -> None:
        """Show what would fire and do nothing; the count begins anew."""
        with self._lock:
            self._stop()
            self._test = on
            self._fired, self._count, self._seconds = [], 0, 0.0

    def opened(self, target: str, about: About) -> Actions:
        """Itself, as an output of a pipeline; `about` tells at each frame which models see."""
        self._used_now, self._used = about.models_now, ()
        self._recentre = about.centring.recentre
        return self

    def _tell_models(self, infos: Sequence[ModelInfo]) -> None:
        names = {info.kind: info.landmarks for info in infos}
        told = told_by(infos)
        with self._lock:
            if (names, told) != (self._names, self._told):
                self._names, self._told = names, told
                self._restart(self._profile)

    def start(self) -> None:
        """Hear the keys for pausing and recentring."""
        self._hear_nothing()
        self._deaf = None
        keys = (self._profile.pause, self.toggle), (self._profile.recentre, self.recentre)
        for chord, pressed in keys:
            try:
                if chord:
                    self._stop_listening.append(listen(chord, pressed))
            except (UserError, OSError) as error:
                self._deaf = str(error)

    def recentre(self) -> None:
        """The way the head is held now is straight ahead, for what is sent."""
        self._recentre()

    def _hear_nothing(self) -> None:
        while self._stop_listening:
            self._stop_listening.pop()()

    def put(self, frame: Frame, result: Result | None) -> None:
        """Take a frame in. Without a result, nothing is seen."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_AGAIN:
            self._looked_at = now
            self._reload()
        used = self._used_now()
        if used is not self._used:
            self._used = used
            self._tell_models([model.info for model in used])
        came = now if frame.captured is None else frame.captured
        with self._lock:
            if frame.bgr is not None:
                self._size_wh = frame.bgr.shape[1], frame.bgr.shape[0]
            rules = self._rules
            if rules is None:
                rules = self._restart(self._profile)
            if not self._on:
                self._t = None
                return
            if self._t is not None and 0 < frame.t - self._t < 1:
                self._seconds += frame.t - self._t
            self._t = frame.t
            if not self._test:
                self._running()
            seen = Result(frame.t, () if result is None else result.tracks)
            events = rules.update(seen, self._size_wh)
            if result is None:  # told once, however long no picture comes
                events += rules.let_go()
            for event in events:
                self._note(event)
                self._do(event, came)

    def close(self, whole: bool) -> None:
        """End what has begun, and let go of everything; it may be used again."""
        with self._lock:
            self._stop()
            runners, self._runners = self._runners, None
        if runners is not None:
            runners.close()
            self._latencies += runners.latencies

    def end(self) -> None:
        """For good: close, and hear no key any more."""
        self.close(True)
        self._hear_nothing()

    def latencies(self) -> list[Latency]:
        """Of everything that fired."""
        with self._lock:
            runners = self._runners
        return self._latencies + ([] if runners is None else list(runners.latencies))

    def forget_latencies(self) -> None:
        """Measure from now on, not the start, when all is being loaded."""
        with self._lock:
            self._latencies = []
            if self._runners is not None:
                self._runners.latencies.clear()

    def _do(self, event: Event, came: float) -> None:
        """`came`: monotonic seconds at which this frame did. The lock is held."""
        if self._test or not self._on:
            return
        self._running().put(event, came - (event.t - event.since))

    def _running(self) -> Runners:
        """Those in use, opened ahead of their first action. The lock is held."""
        if self._runners is None:
            self._runners = self._make(self._profile.settings)
            self._runners.prepare(self._profile.schemes())
        return self._runners

    def _note(self, event: Event) -> None:
        if event.phase == "begin":
            self._count += 1
            fired = Fired(event.t, event.name, event.run.text, self._seconds)
            self._fired = [*self._fired[-KEPT + 1 :], fired]
            log.info("%s: %s", event.name, event.run.text)

    def _stop(self) -> None:
        """The lock is held."""
        if self._rules is not None:
            for event in self._rules.stop():
                self._do(event, time.monotonic())

    def _restart(self, profile: Profile) -> Rules:
        """The lock is held."""
        self._stop()
        self._profile = profile
        self._rules = Rules(profile, self._names, self._told)
        return self._rules

    def _reload(self) -> None:
        """Use the profile as it was saved last, unless it has faults."""
        stamp = _stamp(self.path)
        if stamp is None or stamp == self._read_at:
            return
        self._read_at = stamp
        try:
            profile = read_profile(self.path)
        except (UserError, OSError) as error:
            kept = "the profile as it was before stays in use"
            first = error.faults[0] if isinstance(error, Faulty) else error
            self._fault = f"{kept}: {first}"
            return
        with self._lock:
            self._fault = None
            before = self._profile
            self._restart(profile)
            runners = self._runners
            if profile.settings != before.settings:
                self._runners = None
        if profile.settings != before.settings and runners is not None:
            runners.close()
            self._latencies += runners.latencies
        if (profile.pause, profile.recentre) != (before.pause, before.recentre):
            self.start()

    def _waiting(self) -> tuple[Row, ...]:
        return tuple(replace(row, state="idle") for row in Rules(self._profile, {}, None).rows())


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes when a file is saved; None while there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size
