"""The labeller as a process that is killed, as a command, and beside a training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.helpers.labelling import Room, guess, make_project
from tests.helpers.teaching import new_project
from tracker.progress import Report
from train.project.journal import read_labels
from train.suggest.suggest import Suggestion
from ui.label.training import newest_run, summary

ROOT = Path(__file__).parents[3]
# A labeller that labels frame after frame by itself, and tells each when it is done.
DRIVEN = """
import sys
import threading
from pathlib import Path
import ui.label.app
import ui.label.window as module

class Driven(module.LabelWindow):
    told = -1

    def tick(self):
        super().tick()
        screen = self.controls.screen
        if not screen.is_current:
            return
        if self.controls.label() is None:
            self.controls.nothing_here()
        if screen.frame != self.told:
            self.told = screen.frame
            print(screen.frame, flush=True)
            screen.go(screen.frame + 1)

ui.label.app.LabelWindow = Driven
ui.label.app.run(Path(sys.argv[1]))
"""


def train(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **more}
    return subprocess.run(
        [sys.executable, "-m", "ui.commands.train", "label", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120, env=environ,
    )  # fmt: skip


@pytest.mark.parametrize("pause", [0.0, 0.11, 0.37])
def test_killed_at_any_moment_it_loses_at_most_the_last_action(
    qtbot: QtBot, tmp_path: Path, pause: float
) -> None:
    project = make_project(tmp_path / "project")
    with subprocess.Popen(
        [sys.executable, "-c", DRIVEN, str(project.root)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(4)]
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split()]
    kept = sorted(frame for _, frame in read_labels(project).frames)
    assert set(told) <= set(kept), "everything that was told is there"
    assert len(kept) - len(told) <= 1
    room = Room(qtbot, project)
    try:
        assert f"{len(kept)} actions recovered" in room.message
        assert sorted(n for _, n in room.store.labels.frames) == kept
        assert not room.store.read_only, "the dead process holds no lock"
        room.controls.undo()
        assert len(room.store.labels.frames) == len(kept) - 1, "what was recovered can be undone"
    finally:
        room.end()


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    done = train(str(tmp_path / "nowhere"))
    assert done.returncode == 1 and "does not exist" in done.stderr
    new_project(tmp_path / "empty")
    done = train(str(tmp_path / "empty"))
    assert done.returncode == 1 and "train add" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_help_loads_neither_qt_nor_torch() -> None:
    show = (
        "import sys; from ui.commands.train import app; from typer.testing import CliRunner; "
        "print(CliRunner().invoke(app, ['label', '--help']).exit_code, "
        "[m for m in ('PyQt6', 'torch', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "0 []", done.stderr


def write_run(models: Path, name: str, **told: object) -> None:
    run = models / name
    run.mkdir(parents=True)
    (run / "progress.json").write_text(json.dumps({"run": name, **told}))
    (run / "metrics.csv").write_text(
        "step,train_loss,hold_nme\n100,1.5,9.25\n200,0.75,\n300,0.5,6.5\n30"
    )


def test_a_run_is_watched(tmp_path: Path) -> None:
    assert newest_run(tmp_path, 0.0) is None
    write_run(tmp_path, "old", state="done")
    os.utime(tmp_path / "old" / "progress.json", (1000, 1000))
    write_run(
        tmp_path, "new", state="training", step=300, steps=2000, loss=0.5, hold_nme=6.5,
        images_s=120.2, eta_s=240, message="",
    )  # fmt: skip
    os.utime(tmp_path / "new" / "progress.json", (2000, 2000))
    found = newest_run(tmp_path, 2010.0)
    assert found is not None and found.run == "new" and found.age_s == 10
    assert found.loss == ((100, 1.5), (200, 0.75), (300, 0.5))
    assert found.hold == ((100, 9.25), (300, 6.5)), "empty cells and half a line are left out"
    assert summary(found) == (
        "new: training, step 300 of 2000, loss 0.500, hold-out NME 6.50 %, 120 images/s, 4 min left"
    )


def test_curves_and_buttons(qtbot: QtBot, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    write_run(project.models_dir, "run", state="training", step=300, steps=600, loss=0.5)
    room = Room(qtbot, project)
    try:
        room.key(Qt.Key.Key_F8)
        training = room.window.training
        assert training.isVisible()
        qtbot.waitUntil(lambda: bool(room.window.tick() or training.watched), timeout=5000)
        assert training.bar.value() == 300 and training.bar.maximum() == 600
        assert training.hold.curve.getData()[1].tolist() == [9.25, 6.5]
        assert not training.start.isEnabled(), "somebody trains already"
        write_run(project.models_dir, "next", state="done", step=300, steps=600, loss=0.5)
        qtbot.waitUntil(
            lambda: bool(room.window.tick() or training.watched.told["state"] == "done"),
            timeout=8000,
        )
        assert training.bar.value() == 600, "it ended early, and nothing is left to wait for"
    finally:
        room.end()


def test_a_training_is_started_and_stopped(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room(qtbot, make_project(tmp_path / "project"))
    training, popen = room.window.training, subprocess.Popen
    asked: list[list[str]] = []
    sleeper = (
        "import signal, time\n"  # a job in the background may have been told to ignore Ctrl-C
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try: time.sleep(60)\n"
        "except KeyboardInterrupt: print('stopped well'); raise SystemExit(130)"
    )

    def start(words: list[str], **more: object) -> object:
        asked.append(words)
        code = sleeper if len(asked) == 1 else "raise SystemExit('train: nothing is labelled')"
        return popen([sys.executable, "-c", code], **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", start)
    try:
        training.start.click()
        assert training.asking is not None and training.asking.minutes.value() == 10
        training.asking.reject()
        assert asked == [], "nothing is started before it is known how long it may take"
        training.start.click()
        training.asking.minutes.setValue(3)
        QTest.keyClick(training.asking, Qt.Key.Key_Return)
        assert asked == [
            [sys.executable, "-P", "-m", "ui.commands.train", "finetune", str(room.project.root),
             "--budget", "3m"]
        ]  # fmt: skip
        assert not training.start.isEnabled() and training.stop.isEnabled()
        time.sleep(0.5)  # until it can be interrupted
        training.stop.click()
        until(qtbot, room, lambda: training.process is None)
        assert training._last_line() == "stopped well" and "was stopped" in room.message
        training.start.click()
        assert training.asking.minutes.value() == 3, "as the last time"
        QTest.keyClick(training.asking, Qt.Key.Key_Return)
        until(qtbot, room, lambda: training.process is None)
        assert "nothing is labelled" in room.message and training.start.isEnabled()
    finally:
        room.end()


def until(qtbot: QtBot, room: Room, is_so: Callable[[], bool]) -> None:
    def look() -> bool:
        room.window.tick()
        return is_so()

    qtbot.waitUntil(look, timeout=20000)


def test_space_leads_to_the_frames_that_teach_most(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = [Suggestion("b.mp4", 7, 0.28, 4.0, "unsure"), Suggestion("a.mp4", 3, 0.12, 2.0, "new")]
    monkeypatch.setattr("train.suggest.suggest.suggest", lambda *_: ranked)
    room = Room(qtbot, make_project(tmp_path / "project", 2))
    try:
        room.key(Qt.Key.Key_Space)
        until(qtbot, room, lambda: room.controls.screen.key == ("b.mp4", 7))
        assert "suggested frame 1 of 2" in room.message and "unsure" in room.message
        room.controls.guessed(("b.mp4", 7), (guess(),))
        room.key(Qt.Key.Key_Return)
        room.key(Qt.Key.Key_Space)
        assert room.controls.screen.key == ("a.mp4", 3), "the first one is labelled now"
        assert room.line.line.suggested == (0.12,)
        room.key("b")
        ranked = []
        room.key(Qt.Key.Key_Space)
        until(qtbot, room, lambda: "no frame to suggest" in room.message)
    finally:
        room.end()


def test_ranking_tells_how_far_it_is_and_esc_ends_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = threading.Event()

    def ranked(*given: object) -> list[Suggestion]:
        report, stop = cast(tuple[Report, Callable[[], bool]], given[4:])
        report(3, 8)
        told.set()
        while not stop():
            time.sleep(0.01)
        return [Suggestion("b.mp4", 7, 0.28, 4.0, "unsure")]

    monkeypatch.setattr("train.suggest.suggest.suggest", ranked)
    room = Room(qtbot, make_project(tmp_path / "project", 2))
    try:
        for _ in range(2):  # what was ended once can begin again
            told.clear()
            room.key(Qt.Key.Key_Space)
            assert told.wait(20)
            until(qtbot, room, lambda: ": 37 %; go on meanwhile, Esc ends it" in room.message)
            room.controls.say("something else")
            room.window.tick()
            assert room.message == "something else", "it is not talked over"
            room.key(Qt.Key.Key_Escape)
            assert "what was looked at is ranked" in room.message
            until(qtbot, room, lambda: room.controls.screen.key == ("b.mp4", 7))
            room.window.suggestions.found = []
            room.controls.screen.visit(("a.mp4", 0))
            room.settle()
    finally:
        room.window.suggestions.close()
        room.end()


def test_it_opens_where_somebody_was(qtbot: QtBot, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", 2)
    room = Room(qtbot, project)
    assert room.controls.screen.key == ("a.mp4", 0)
    room.controls.screen.visit(("b.mp4", 7))
    room.settle()
    room.key("b")
    room.controls.screen.visit(("a.mp4", 2))
    room.settle()
    room.end()
    room = Room(qtbot, project)
    try:
        assert room.controls.screen.key == ("b.mp4", 7), "where a label was changed last"
    finally:
        room.end()
    listed = json.loads((project.clips_dir / "clips.json").read_text())
    listed["clips"] = [c for c in listed["clips"] if c["name"] == "a.mp4"]
    (project.clips_dir / "clips.json").write_text(json.dumps(listed))
    room = Room(qtbot, project)
    try:
        assert room.controls.screen.key == ("a.mp4", 0), "that clip is not in the project any more"
    finally:
        room.end()


@pytest.mark.parametrize("moves", [False, True])
def test_a_new_project_opens_at_the_best_suggestion(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: bool
) -> None:
    project = make_project(tmp_path / "project", 2)
    may_go = threading.Event()

    def ranked(*_: object) -> list[Suggestion]:
        may_go.wait(20)
        return [Suggestion("b.mp4", 7, 0.28, 4.0, "unsure")]

    monkeypatch.setattr("train.suggest.suggest.suggest", ranked)
    room = Room(qtbot, project)
    assert not room.window.suggestions.is_ranking, "nobody has ranked the frames yet"
    room.end()
    (project.cache_dir / "suggest.json").write_text("{}")
    room = Room(qtbot, project)
    try:
        assert room.window.suggestions.is_ranking and room.controls.screen.key == ("a.mp4", 0)
        if moves:
            room.key(Qt.Key.Key_Right)
        may_go.set()
        until(qtbot, room, lambda: not room.window.suggestions.is_ranking)
        room.settle()
        assert room.controls.screen.key == (("a.mp4", 1) if moves else ("b.mp4", 7))
        assert len(room.window.suggestions.found) == 1
    finally:
        may_go.set()
        room.end()
