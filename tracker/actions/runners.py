"""Who does what a rule says, by the word before the colon, and the threads on which that happens.

A runner may wait for a network or a program, a frame never does: each lane is one thread behind a
bounded backlog. Keys, clicks and the pointer share a lane, so they keep their order; a slow web
server holds up only other requests.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

from tracker.actions import device, http, midi, obs, osc, processes
from tracker.actions.run import Event, Run, Runner
from tracker.errors import sentence
from tracker.slots import Backlog

MOST = 64  # things that may wait in a lane
Settings = Mapping[str, Any]  # of the whole profile: a table per lane, and `device`

log = logging.getLogger("tracker.actions")


@dataclass(frozen=True, slots=True)
class RunnerKind:
    """`parse`: what follows the colon; ValueError says what to write instead."""

    parse: Callable[[str], Any]
    lane: str
    slides: bool = False  # it takes the values of sliders
    package: str = ""  # to be installed for it


def _on_device(settings: Settings) -> Runner:
    return device.DeviceRunner(device.open_device(str(settings.get("device", "auto"))))


def _of(name: str, make: Callable[[Settings], Runner]) -> Callable[[Settings], Runner]:
    return lambda settings: make(settings.get(name, {}))


LANES: dict[str, Callable[[Settings], Runner]] = {
    "device": _on_device,
    "osc": _of("osc", osc.Osc),
    "http": _of("http", http.Http),
    "obs": _of("obs", obs.Obs),
    "midi": _of("midi", midi.Midi),
    "say": _of("say", processes.Speech),
    "command": _of("command", processes.Commands),
}
RUNNERS: dict[str, RunnerKind] = {
    "key": RunnerKind(device.parse_key, "device"),
    "keys": RunnerKind(device.parse_keys, "device"),
    "hold": RunnerKind(device.parse_hold, "device"),
    "click": RunnerKind(device.parse_click, "device"),
    "scroll": RunnerKind(device.parse_scroll, "device", slides=True),
    "joystick": RunnerKind(device.parse_joystick, "device", slides=True),
    "osc": RunnerKind(osc.parse, "osc", slides=True, package="python-osc"),
    "http": RunnerKind(http.parse, "http", slides=True),
    "obs": RunnerKind(obs.parse, "obs", package="websockets"),
    "midi": RunnerKind(midi.parse, "midi", slides=True, package="mido"),
    "say": RunnerKind(processes.parse_say, "say"),
    "command": RunnerKind(processes.parse_command, "command"),
}


def parse_run(text: str) -> Run:
    """`SCHEME:WHAT`. ValueError says what to write instead."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme in ("http", "https") and rest.startswith("//"):
        scheme, rest = "http", text  # an address alone is fetched
    if not colon or scheme not in RUNNERS:
        raise ValueError(f"{text!r} says not what to do; write one of {': '.join(RUNNERS)}:")
    return Run(scheme, RUNNERS[scheme].parse(rest.strip()), text)


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the frame in which a condition first held until all was done, for one event."""

    whole: float
    over_hold: float  # the same without the time that the rule asks for


@dataclass(frozen=True, slots=True)
class _Task:
    event: Event
    since: float  # monotonic seconds at which the frame came in which it first held


class _Lane:
    """One runner, opened ahead of its first task, and its thread."""

    def __init__(self, name: str, settings: Settings, done: Callable[[_Task], None]) -> None:
        self.error: str | None = None
        self.dropped = 0
        self._name, self._settings, self._done = name, settings, done
        self._backlog: Backlog[_Task] = Backlog(MOST)
        self._thread = Thread(target=self._body, name=f"actions {name}", daemon=True)
        self._thread.start()

    def put(self, task: _Task) -> None:
        """Do it soon; ends are the last to be refused, so that no key stays down."""
        spare = 0 if task.event.phase == "end" else MOST // 4
        if not self._backlog.put(task, 1, spare):
            self.dropped += 1

    def close(self, timeout: float) -> None:
        self._backlog.close()
        self._thread.join(timeout)

    def _body(self) -> None:
        runner = self._open()
        while not self._backlog.finished:
            task = self._backlog.get(1.0)
            if task is None:
                continue
            runner = runner or self._open()
            if runner is None:
                continue
            try:
                event = task.event
                runner.run(event.run.what, event.phase, event.value)
            except Exception as error:  # it may raise anything; what comes after goes on
                self._tell(f"{task.event.run.text}: {sentence(error)}")
            else:
                self.error = None
                self._done(task)
        if runner is not None:
            try:
                runner.close()
            except Exception as error:  # as above
                self._tell(f"{self._name}: {sentence(error)}")

    def _open(self) -> Runner | None:
        """None, and it is told, where that fails; what is plugged in later works at the next."""
        try:
            return LANES[self._name](self._settings)
        except Exception as error:  # as above
            self._tell(f"{self._name}: {sentence(error)}")
            return None

    def _tell(self, words: str) -> None:
        if words != self.error:
            log.warning("%s", words)
        self.error = words


class Runners:
    """Hands events to their lanes. `put` returns at once."""

    def __init__(self, settings: Settings, keep: int = 4096) -> None:
        """Nothing is opened before it is needed. `keep`: latencies to remember."""
        self._settings = settings
        self._lanes: dict[str, _Lane] = {}
        self._lock = Lock()
        self.latencies: deque[Latency] = deque(maxlen=keep)

    @property
    def errors(self) -> tuple[str, ...]:
        """What does not work at the moment."""
        lanes = list(self._lanes.values())
        full = sum(lane.dropped for lane in lanes)
        words = [lane.error for lane in lanes if lane.error is not None]
        return tuple(words) + ((f"{full} actions came too fast and were dropped",) if full else ())

    def put(self, event: Event, since: float) -> None:
        """`since`: monotonic seconds at which the frame came in which its condition first held."""
        self._lane(event.run.scheme).put(_Task(event, since))

    def prepare(self, schemes: Iterable[str]) -> None:
        """Open what these need ahead of time: the first action is as quick as the others."""
        for scheme in schemes:
            self._lane(scheme)

    def close(self, timeout: float = 1.0) -> None:
        """Finish what waits, and let go of every key."""
        for lane in self._lanes.values():
            lane.close(timeout)

    def _lane(self, scheme: str) -> _Lane:
        name = "device" if scheme == "pointer" else RUNNERS[scheme].lane
        with self._lock:
            if name not in self._lanes:
                self._lanes[name] = _Lane(name, self._settings, self._done)
            return self._lanes[name]

    def _done(self, task: _Task) -> None:
        if task.event.phase == "begin":
            took = time.monotonic() - task.since
            self.latencies.append(Latency(took, took - task.event.hold))
