"""Actions as an output: switched, tried out, saved again; and in a pipeline with a fake camera."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.seen import face, hand, times
from tracker.actions import actions as module
from tracker.actions.actions import Actions
from tracker.actions.run import Event
from tracker.actions.runners import Latency
from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame, Pose, Track

DO = "[[do]]\nwhen = 'fist'\nhold = 0.3\ncooldown = 0.0\nrun = 'hold:a'\n"
BLACK = np.zeros((480, 640, 3), np.uint8)


@dataclass
class Noted:
    """Runners that note what they are told."""

    settings: object
    told: list[str] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    errors: tuple[str, ...] = ()
    latencies: list[Latency] = field(default_factory=list)
    is_closed: bool = False

    def put(self, event: Event, since: float) -> None:
        self.told.append(f"{event.phase} {event.run.text}")
        self.since.append(since)

    def prepare(self, schemes: object) -> None:
        self.prepared = schemes

    def close(self, timeout: float = 1.0) -> None:
        self.is_closed = True


class Stage:
    """Actions of a profile, and what they did."""

    def __init__(self, folder: Path, text: str = DO, **switches: bool) -> None:
        self.path = folder / "mine.toml"
        self.save(text)
        self.made: list[Noted] = []
        self.actions = Actions(self.path, make_runners=self.make, **switches)  # type: ignore[arg-type]
        self.t = 0.0

    def make(self, settings: object) -> Noted:
        self.made.append(Noted(settings))
        return self.made[-1]

    def save(self, text: str) -> None:
        before = self.path.stat().st_mtime_ns if self.path.exists() else 0
        self.path.write_text(text, encoding="utf-8")
        os.utime(self.path, ns=(before + 10**9, before + 10**9))

    def show(self, seconds: float, *tracks: Track) -> None:
        for t in times(seconds, 30, self.t):
            self.actions.put(Frame(0, t, BLACK, captured=1000 + t), Result(t, tracks))
        self.t += seconds

    @property
    def told(self) -> list[str]:
        return [words for noted in self.made for words in noted.told]


def test_when_it_fired_is_told_from_the_first_frame_on(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.t = 52_000.0  # cameras count from when the computer was switched on
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    (fired,) = stage.actions.state().fired
    assert fired.t == pytest.approx(52_001.3, abs=0.04)
    assert fired.after == pytest.approx(1.3, abs=0.04)


def test_what_fires_is_done_and_its_latency_counts_from_the_first_frame(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    stage.show(1, hand())
    assert stage.told == ["begin hold:a", "end hold:a"]
    assert stage.made[0].since[0] == pytest.approx(1001.0), "captured when the fist first held"
    state = stage.actions.state()
    assert (state.count, state.seconds) == (1, pytest.approx(3, abs=0.05))
    assert [(f.name, f.run) for f in state.fired] == [("fist", "hold:a")]
    assert state.per_hour == pytest.approx(1200, rel=0.02)


def test_switched_off_it_lets_go_and_does_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    stage.actions.toggle()
    assert stage.told == ["begin hold:a", "end hold:a"]
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    stage.actions.toggle()
    stage.show(1, hand("fist"))
    assert len(stage.told) == 2, "what holds when it is switched on must end first"
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    assert stage.told[2:] == ["begin hold:a"]


def test_trying_out_shows_and_does_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path, test=True)
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    stage.show(1, hand())
    assert stage.told == [] and stage.actions.state().count == 1
    stage.actions.try_out(False)
    assert stage.actions.state().count == 0
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    assert stage.told == ["begin hold:a"]
    stage.actions.try_out(True)
    assert stage.told[1:] == ["end hold:a"], "no key stays down"


def test_no_picture_ends_what_has_begun(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    for t in (2.1, 2.6):
        stage.actions.put(Frame(0, t, None), None)
    assert stage.told == ["begin hold:a", "end hold:a"]


def test_no_picture_ends_at_once_what_would_take_long_to_end(tmp_path: Path) -> None:
    """An output is told once that no picture comes, half a second after the last one."""
    stage = Stage(tmp_path, DO.replace("hold = 0.3", "hold = 0.3\nrelease = 5.0"))
    stage.show(6, hand())
    stage.show(1, hand("fist"))
    stage.show(1, hand())
    assert stage.told == ["begin hold:a"], "it is released after five seconds"
    stage.actions.put(Frame(0, stage.t + 0.5, None), None)
    assert stage.told == ["begin hold:a", "end hold:a"]
    stage.t += 10
    stage.show(1, hand("fist"))
    assert stage.told[2:] == ["begin hold:a"]


def test_closing_lets_go_and_it_can_be_used_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    stage.actions.close(True)
    assert stage.told == ["begin hold:a", "end hold:a"] and stage.made[0].is_closed
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    assert stage.made[1].told == ["begin hold:a"]


def test_a_profile_that_is_saved_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_AGAIN", 0.0)
    stage = Stage(tmp_path)
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    stage.save(DO.replace("hold:a", "key:b"))
    stage.show(1, hand("fist"))
    assert stage.told == ["begin hold:a", "end hold:a"]
    stage.show(1, hand())
    stage.show(1, hand("fist"))
    assert stage.told[2:] == ["begin key:b"]
    stage.save(DO.replace("fist", "head sideways"))
    stage.show(1, hand())
    (problem,) = stage.actions.state().problems
    assert problem.startswith("the profile as it was before stays in use: line 2: when:")
    stage.show(1, hand("fist"))
    assert stage.told[-1] == "begin key:b"
    stage.path.unlink()
    stage.show(1, hand())
    stage.save("[osc]\nto = '127.0.0.1:9'\n" + DO)
    stage.show(1, hand())
    assert stage.actions.state().problems == () and stage.made[0].is_closed
    stage.show(1, hand("fist"))
    assert stage.made[1].told == ["begin hold:a"], "other settings, other runners"


def test_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 2: when"):
        Stage(tmp_path, "[[do]]\nwhen = 'head sideways'\nrun = 'key:a'\n")


def test_a_pause_key_that_cannot_be_heard_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(keys: object, pressed: object) -> None:
        raise UserError("the pause key cannot be heard: there is no keyboard")

    monkeypatch.setattr(module, "listen", deaf)
    stage = Stage(tmp_path, "pause = 'ctrl+p'\n" + DO)
    stage.actions.start()
    assert stage.actions.state().problems == (
        "the pause key cannot be heard: there is no keyboard",
    )


def test_a_key_recentres_in_every_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[tuple[str, ...], Callable[[], None]] = {}
    ended: list[tuple[str, ...]] = []

    def listen(keys: tuple[str, ...], pressed: Callable[[], None]) -> Callable[[], None]:
        heard[keys] = pressed
        return lambda: ended.append(keys)

    monkeypatch.setattr(module, "listen", listen)
    stage = Stage(tmp_path, "pause = 'ctrl+p'\nrecentre = 'ctrl+alt+c'\n" + DO)
    stage.actions.start()
    assert set(heard) == {("ctrl", "p"), ("ctrl", "alt", "c")}
    about = About("cam", clips.USED)
    stage.actions.opened("actions", about)
    heard["ctrl", "alt", "c"]()
    about.centring.see(Result(0.0, (face(yaw=20),)))
    assert about.centring.relative(Pose(20, 0, 0)).yaw == pytest.approx(0, abs=1e-6)
    stage.save("recentre = 'f9'\n" + DO)
    stage.show(1, hand())
    assert set(ended) == {("ctrl", "p"), ("ctrl", "alt", "c")} and ("f9",) in heard
    stage.actions.end()
    assert ("f9",) in ended


def test_before_the_first_frame_all_rows_are_there(tmp_path: Path) -> None:
    (row,) = Stage(tmp_path).actions.state().rows
    assert (row.when, row.state) == ("fist", "idle")


def test_frames_do_not_wait_for_what_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.actions import processes, runners

    class Slow:
        def __init__(self, settings: object) -> None: ...
        def run(self, what: object, phase: str, value: float) -> None:
            time.sleep(0.3)

        def close(self) -> None: ...

    monkeypatch.setitem(runners.LANES, "say", Slow)
    assert processes.parse_say("hello")
    path = tmp_path / "mine.toml"
    path.write_text(DO.replace("hold:a", "say:hello").replace("0.3", "0.0"), encoding="utf-8")
    actions = Actions(path)
    longest = 0.0
    for i, t in enumerate(times(20, 30)):
        track = hand("fist" if i % 12 < 3 else "none")
        begun = time.thread_time()
        actions.put(Frame(0, t, BLACK), Result(t, (track,)))
        longest = max(longest, time.thread_time() - begun)
    assert actions.state().count >= 40
    assert longest < 0.05, "of this thread's own time; 0.3 s are waited elsewhere"
    begun = time.monotonic()
    actions.close(True)
    assert time.monotonic() - begun < 2.5
