"""`tracker gestures` and `train gesture`, on a tracker that sees bundled hands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.tracker.gestures.taught import examples, learn_little, seen
from tracker.gestures.own import Own, read_own, usual_file, write_own
from tracker.gestures.teaching import Told
from tracker.result import Result as Seen
from tracker.track import Tracker
from tracker.types import Frame
from ui.commands.tracker import app

BLACK = np.zeros((48, 64, 3), np.uint8)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of the test's own, and clips whose names say which bundled gesture they show."""
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("l_shape", "fist", "nothing"):
        (tmp_path / f"{name}.mp4").touch()

    def video(self: Tracker, path: Path, progress: Told) -> Iterator[tuple[Frame, Seen]]:
        hands = () if path.stem == "nothing" else examples(path.stem, 50)
        for i, sample in enumerate(hands):
            yield Frame(i, sample.t, BLACK), Seen(sample.t, (seen(sample.hands[0]),))
            progress(i + 1, len(hands))

    monkeypatch.setattr(Tracker, "video", video)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["gestures", *map(str, arguments)])


def taught(home: Path, *more: object) -> Result:
    clips = "--clip", home / "l_shape.mp4", "--not", home / "fist.mp4"
    return run("teach", "corner", *clips, *more)


def test_from_nothing_to_a_gesture_and_back(home: Path) -> None:
    assert "no gestures of your own yet" in run().stdout
    told = taught(home)
    assert told.exit_code == 0, told.output
    assert "l_shape.mp4: 50 samples of gesture" in told.stdout
    assert "fist.mp4: 50 samples of anything else" in told.stdout
    assert "corner is shown from" in told.stdout
    place = usual_file()
    assert home in place.parents and read_own(place).names == ("corner",)
    assert "corner: either; 50 samples, 50 of else" in run().stdout
    assert "removed corner" in run("remove", "corner").stdout and "no gestures" in run().stdout
    assert "undone: corner removed" in run("undo").stdout
    assert "undone: 50 samples of anything else than corner" in run("undo").stdout
    assert [len(g.others) for g in read_own(place).gestures] == [0]
    assert "done again: 50 samples of anything" in run("redo").stdout
    assert taught(home).exit_code == 0
    assert [len(g.takes) for g in read_own(place).gestures] == [2], "more samples of the same"


def test_each_clip_has_a_bar(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int | None]] = []

    @contextmanager
    def bars(shown: bool) -> Iterator[Callable[[str], Told]]:
        yield lambda name: lambda done, of: told.append((name, done, of))

    monkeypatch.setattr("ui.commands.console.bars", bars)
    learn_little(monkeypatch)
    assert taught(home).exit_code == 0
    assert told == [(n, i, 50) for n in ("l_shape.mp4", "fist.mp4") for i in range(1, 51)]


def test_strictness_and_sharing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn_little(monkeypatch)
    taught(home)
    points = [run("strictness", "corner", value).stdout for value in (0, 1)]
    assert points[0] != points[1] and read_own(usual_file()).gestures[0].strictness == 1
    out = home / "mine.json"
    assert "wrote" in run("export", out).stdout and read_own(out).names == ("corner",)
    again = run("export", out)
    assert again.exit_code == 1 and "is there already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("remove", "heart"), "there is no gesture 'heart' of yours; there are: none yet"),
        (("undo",), "there is nothing to undo"),
        (("redo",), "nothing was undone"),
        (("export", "new.json"), "holds no gestures yet"),
        (("strictness", "heart", "0.5"), "there is no gesture 'heart'"),
    ],
)
def test_what_is_not_there_is_said(arguments: tuple[str, ...], words: str) -> None:
    told = run(*arguments)
    assert told.exit_code == 1 and words in told.stderr and not usual_file().exists()


def test_clips_without_hands_and_names_that_are_none(home: Path) -> None:
    told = run("teach", "corner", "--clip", home / "nothing.mp4")
    assert told.exit_code == 1 and "shows a hand in no frame" in told.stderr
    assert run("teach", "none", "--clip", home / "fist.mp4").exit_code == 2
    assert run("teach", "a", "--clip", home / "fist.mp4", "--hands", "three").exit_code == 2
    assert not usual_file().exists()


def test_a_gesture_of_both_hands_does_not_become_one_of_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn_little(monkeypatch)
    taught(home)
    told = taught(home, "--hands", "both")
    assert told.exit_code == 1 and "'corner' is a gesture of either; remove it first" in told.stderr


def test_train_gesture_needs_no_pytorch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; from ui.commands.train import main; "
        "sys.argv[1:] = ['gesture', 'none', '--clip', sys.executable]; main()"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert told.returncode == 2 and "cannot name a gesture" in told.stderr, told.stderr


def test_what_was_taught_elsewhere_meanwhile_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was written as it was before the clips were read, which takes a while."""
    assert taught(home).exit_code == 0
    own, video = read_own(usual_file()), Tracker.video
    elsewhere = tuple({**action, "gesture": "angle"} for action in own.done)

    def busy(self: Tracker, path: Path, progress: Told) -> Iterator[tuple[Frame, Seen]]:
        write_own(usual_file(), Own((*own.done, *elsewhere)))
        yield from video(self, path, progress)

    monkeypatch.setattr(Tracker, "video", busy)
    assert run("teach", "y", "--clip", home / "fist.mp4").exit_code == 0
    assert read_own(usual_file()).names == ("corner", "angle", "y")
