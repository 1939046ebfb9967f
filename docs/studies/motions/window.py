"""Gestures and motions in the running window: taught, told and acted on, and pictures of it.

    xvfb-run -a python -m docs.studies.motions.window DATA/hands_real BACKGROUND.mp4 OUT

Films of cut-out hands (see `video.py`) are the camera of the real live window: one of the bundled
motions, one in which a pose is taught, one in which a motion is. Keys and buttons are pressed as a
person presses them: G, a name, Start, and later Undo, Redo and the slider. A profile of actions
presses a key at a motion, heard by pynput's own listener, and sends OSC, heard by python-osc's own
server. `--speed 0.5` plays films at half the speed, where the machine is busy; the window's clock
is the film's. Printed are lines of JSON; pictures of the window are in OUT.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest as _QTest
from PyQt6.QtWidgets import QPushButton

from docs.studies.motions.examples import shapes
from docs.studies.motions.people import BASE, Actor, Done, person
from docs.studies.motions.video import Cutout, compose, cutout, pictures, shots, writer
from docs.studies.window_pictures import opened, spend, taken
from tests.helpers.receivers import osc_ears
from tracker.config import TrackerConfig
from tracker.live.pipeline import Pipeline
from tracker.sources.open import Playing
from tracker.sources.paced_file import FileSource
from tracker.types import Image
from ui.kit.start import application
from ui.live.choices import Choices
from ui.live.gestures.dialog import STEPS, GestureDialog
from ui.live.window import LiveWindow

QTest: Any = _QTest  # whose stubs take its functions for methods
FIRST = 40_000  # seed of the first person
FPS = 20
OVER = 40.0  # s without a new frame after which a film is over
# s: when Start is pressed; until the gesture and the whole lesson are over; to learn; a film's rest
AT, SHOWN, LESSON, LEARNING = 5.0, 13.0, 26.0, 12.0
POSE = "crossed"
Z = ((0.0, 0.0), (2.2, 0.0), (0.0, 1.8), (2.2, 1.8))  # palm lengths
PROFILE = """
device = "pynput"
[[do]]
name = "next"
when = "swipe_left"
run = "key:right"
[[do]]
name = "hello"
when = "wave"
run = "osc:127.0.0.1:{port}/hello"
[[do]]
name = "sign"
when = "zorro"
run = "osc:127.0.0.1:{port}/zorro"
[[do]]
name = "crossed"
when = "crossed"
hold = 0.3
run = "osc:127.0.0.1:{port}/crossed"
"""


@dataclass(slots=True, eq=False)
class Scene:
    """A film in the making: what the hand does, and which hand is seen when."""

    actor: Actor
    hands: list[tuple[float, Cutout]] = field(default_factory=list)  # from when on

    def show(self, hand: Cutout) -> None:
        """This hand from now on."""
        self.hands.append((self.actor.film.t, hand))

    def fidget(self, until: float) -> None:
        """Hold it, turned and moved a little."""
        rng, actor = self.actor.rng, self.actor
        while actor.film.t < until:
            turn = float(rng.uniform(-0.35, 0.35))
            for part in (turn, -turn):
                actor.go(rng.normal(0, 0.4, 2), 0.6, part)

    def write(self, out: Path, backs: Sequence[Image]) -> None:
        """The video."""
        film = self.actor.film
        video = writer(out, FPS)
        starts = [t for t, _ in self.hands]
        which = np.searchsorted(starts, np.arange(film.count) / BASE, "right") - 1
        seen = [self.hands[max(int(i), 0)][1] for i in np.atleast_1d(which)]
        for i, picture in enumerate(shots(film, seen, backs, FPS)):
            video.write(picture, i / FPS)
        video.finish()


def scene(data: Path, seed: int) -> Scene:
    """An open hand at rest, and nothing more."""
    made = Scene(Actor(person(seed), shapes(for_tests=True)))
    made.show(cutout(data, ("5",), seed))
    made.actor.rest(1.0)
    return made


def a_pose(data: Path) -> Scene:
    """For the lesson crossed fingers, then other hands; later both, crossed fingers by others."""
    made, other = scene(data, FIRST + 1), ("5", "b", "1", "w", "l", "y", "s")
    made.show(cutout(data, ("r",), 0))
    made.fidget(AT + SHOWN)
    for k, letter in enumerate(other):
        made.show(cutout(data, (letter,), k))
        made.fidget(AT + SHOWN + (k + 1) * (LESSON - SHOWN) / len(other))
    made.show(cutout(data, ("5",), 1))
    made.fidget(AT + LESSON + LEARNING)
    for k in range(4):
        for letter, which in (("r", k), ("5", k), ("v", k)):
            made.show(cutout(data, (letter,), which))
            made.fidget(made.actor.film.t + 1.5)
    return made


def a_motion(data: Path) -> Scene:
    """For the lesson a drawn Z, then other movement; later both."""
    made = scene(data, FIRST + 2)
    actor = made.actor

    def draw() -> None:
        actor.go(np.array([-1.0, -1.0]), 0.8)
        actor.rest(0.4)
        start, corner = actor.film.t, np.array([-1.0, -1.0])
        for to in Z[1:]:
            actor.go(corner + to, 0.28)
        actor.film.done.append(Done("zorro", start, actor.film.t, actor.film.t - start))
        actor.rest(0.4)

    while actor.film.t < AT + SHOWN - 1:
        draw()
    while actor.film.t < AT + LESSON + LEARNING:
        actor.natural()
        actor.rest(0.3)
    actor.film.done.clear()
    for _ in range(5):
        draw()
        actor.rest(0.8)
    return made


@dataclass(slots=True, eq=False)
class FilmClock:
    """Seconds of what the window has shown: a lesson waits for the film, however slowly it goes."""

    before: float = 0.0  # of the films before
    t: float = 0.0  # of the frame that was seen last,
    at: float = 0.0  # and when, by the wall

    def __call__(self) -> float:
        """A little more than the last frame."""
        return self.before + self.t + min(time.monotonic() - self.at, 0.1)

    def see(self, t: float) -> None:
        """A frame of time t."""
        self.t, self.at = t, time.monotonic()

    def begin(self) -> None:
        """Another film."""
        self.before += self.t + 0.1
        self.see(0.0)


@dataclass(slots=True, eq=False)
class Trial:
    """A window, and what was seen in it."""

    window: LiveWindow
    out: Path
    clock: FilmClock
    told: list[tuple[float, str]] = field(default_factory=list)  # film's s: motions, own poses
    last: dict[str, float] = field(default_factory=dict)  # when each was seen last
    results: set[float] = field(default_factory=set)  # times of frames that were tracked
    pictures: int = 0

    def spend(self, seconds: float) -> None:
        """Let the window live, and note what it tells."""
        until = self.clock() + seconds
        while self.clock() < until and time.monotonic() - self.clock.at < OVER:
            spend(0.01)
            shown = self.window.controls.session.latest()
            if shown is None or shown.result.t in self.results:
                continue
            t = shown.result.t
            self.clock.see(t)
            self.results.add(t)
            for track in shown.result.tracks:
                if track.motion is not None:
                    self._note(track.motion.name, t - track.motion.age, 0.5)
                if track.gesture == POSE:
                    self._note(POSE, t, 1.0)

    def _note(self, name: str, t: float, apart: float) -> None:
        """It is new where it was not seen for so long."""
        if t - self.last.get(name, -1e9) > apart:
            self.told.append((t, name))
            spend(0.1)
            self.take(name)
        self.last[name] = t

    def play(self, film: Path) -> None:
        """Another camera."""
        for seen in (self.told, self.last, self.results):
            seen.clear()
        self.clock.begin()
        self.window.controls.choose("camera", str(film))

    def take(self, name: str) -> None:
        """A picture of the window."""
        self.pictures += 1
        taken(self.window).save(str(self.out / f"{self.pictures:02}_{name}.png"))

    def say(self, what: str, film: Path, **more: object) -> None:
        """A line of what was seen, and how quickly it was tracked."""
        times, told = sorted(self.results), [(round(t, 2), name) for t, name in self.told]
        fps = len(times) / max(times[-1] - times[0], 1) if times else 0.0
        row = {"film": what, **more, "tracked_fps": round(fps, 1), **facts(film), "told": told}
        print(json.dumps(row), flush=True)

    # As a person does it

    def press(self, key: str) -> None:
        """A key, where the keyboard is."""
        self.window.activateWindow()
        spend(0.5)
        QTest.keyClick(self.window.focusWidget() or self.window, key)
        spend(0.1)

    @property
    def dialog(self) -> GestureDialog:
        """The one that G has opened."""
        assert self.window.gestures is not None
        return self.window.gestures

    def click(self, button: QPushButton) -> None:
        """With the mouse, and until it is learnt."""
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        self.learnt()

    def learnt(self) -> None:
        """Wait for it."""
        self.spend(0.1)
        while self.dialog.is_learning:
            self.spend(0.1)

    def teach(self, name: str, is_motion: bool) -> float:
        """From G to a gesture that works; s of the window's clock."""
        self.press("g")
        begun = self.clock()
        dialog = self.dialog
        QTest.keyClicks(dialog.name, name)
        dialog.kind.setCurrentIndex(int(is_motion))
        self.take(f"{name}_dialog")
        QTest.keyClick(dialog.name, Qt.Key.Key_Return)
        for k, seconds in enumerate((2.0, 5.0, 8.0, 6.0)):
            self.spend(seconds)
            self.take(f"{name}_lesson{k}")
        while dialog.lesson is not None:
            self.spend(0.1)
        lesson, learning = self.clock() - begun, time.process_time()
        self.learnt()
        print(json.dumps({"from_g_to_the_end_of_the_lesson_s": round(lesson, 1),
                          "then_cpu_s": round(time.process_time() - learning, 1)}))  # fmt: skip
        self.take(f"{name}_learnt")
        return self.clock() - begun

    def change(self) -> list[str]:
        """Slider, remove, undo, redo, undo: what the dialog says each time."""
        dialog, said = self.dialog, []
        for value in (STEPS, 0, 5):
            dialog.slider.setValue(value)
            self.learnt()
            said.append(dialog.words.text().splitlines()[0])
        for button in (dialog.remove, dialog.undo, dialog.redo, dialog.undo):
            self.click(button)
            said.append(f"{button.text()}: {dialog.list.count()} gestures")
            self.take(f"after_{button.text()}")
        return said


def main(
    data: Annotated[Path, typer.Argument(help="Folder with labels.json of hands_real.")],
    background: Annotated[Path, typer.Argument(help="A film, at best without hands.")],
    out: Annotated[Path, typer.Argument(help="Folder for films and pictures.")],
    speed: Annotated[float, typer.Option(min=0.01, max=1.0, help="Of films.")] = 1.0,
    only: Annotated[list[str] | None, typer.Option(help="pose, motion, motions")] = None,
    precision: Annotated[
        str, typer.Option(help="fp32, or int8 where the machine is busy.")
    ] = "fp32",
) -> None:
    """Compose what is not there yet, and try."""
    out.mkdir(parents=True, exist_ok=True)
    films = {name: out / f"{name}.mp4" for name in ("motions", "pose", "motion")}
    for name, film in films.items():
        if not film.exists():
            make(name, data, background, film)
    app, clock, keys = application(), FilmClock(), list[str]()
    clock.see(0.0)

    def at_speed(camera: str, how: Playing, config: TrackerConfig) -> Pipeline:
        return Pipeline(FileSource(Path(camera), how.loop, speed), config)

    from pynput.keyboard import Listener

    with (
        tempfile.TemporaryDirectory() as folder,
        osc_ears() as ears,
        Listener(on_press=lambda key: keys.append(str(key))),
    ):
        os.environ["XDG_CONFIG_HOME"] = folder  # gestures are kept in it
        choices = chosen(Path(folder), films["motion"], ears.port, precision)
        with opened(Path(folder), choices, at_speed, clock) as window:
            window.resize(1000, 640)
            tried(Trial(window, out, clock), films, only or tuple(films))
            print(json.dumps({"keys": keys, "osc": [address for address, _ in ears.heard]}))
    app.quit()


def make(name: str, data: Path, background: Path, out: Path) -> None:
    """A film, and beside it what is made in it."""
    if name == "motions":
        done, seconds = compose(data, background, out, 1, FPS)
    else:
        made = {"pose": a_pose, "motion": a_motion}[name](data)
        made.write(out, pictures(background))
        done, seconds = made.actor.film.done, made.actor.film.t
    rows = [(d.name, round(d.start, 2), round(d.end, 2)) for d in done]
    out.with_suffix(".json").write_text(json.dumps({"seconds": round(seconds, 2), "made": rows}))


def chosen(folder: Path, film: Path, port: int, precision: str) -> Choices:
    """A film as camera, and actions."""
    profile = folder / "profile.toml"
    profile.write_text(PROFILE.format(port=port))
    return Choices(
        camera=str(film), faces=False, max_hands=1, hint=False, precision=precision,
        actions=str(profile), tab="actions",
    )  # fmt: skip


def tried(trial: Trial, films: Mapping[str, Path], only: Sequence[str]) -> None:
    """The three films, or some of them; lessons first."""
    seconds = {name: facts(film)["seconds"] for name, film in films.items()}
    for name, word, is_motion in (("pose", POSE, False), ("motion", "zorro", True)):
        if name not in only:
            continue
        trial.play(films[name])
        begun = trial.clock()
        trial.spend(AT - 1)
        took = trial.teach(word, is_motion)
        trial.told.clear()
        trial.spend(seconds[name] - (trial.clock() - begun) - 0.2)
        trial.say(name, films[name], from_g_s=round(took, 1))
    if trial.window.gestures is not None and trial.dialog.own.names:
        print(json.dumps({"changed": trial.change()}), flush=True)
    if "motions" not in only:
        return
    trial.play(films["motions"])
    trial.spend(seconds["motions"])
    trial.say("motions", films["motions"])


def facts(film: Path) -> dict[str, Any]:
    """How long a film is, and the motions that are made in it, from when to when, s."""
    found: dict[str, Any] = json.loads(film.with_suffix(".json").read_text())
    return found


if __name__ == "__main__":
    typer.run(main)
