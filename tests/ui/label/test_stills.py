"""Sets of pictures in the labeller: stepped through, labelled, undone, without a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.helpers.labelling import CTRL, Room, guess, make_project
from train.project.adding import add_one, sources
from train.project.journal import read_labels
from train.project.layout import Project
from train.suggest.suggest import Suggestion
from ui.label.guesses import neighbours

SIZES = ((96, 64), (40, 80), (120, 60), (96, 64))


def photos(project: Project, folder: Path) -> None:
    folder.mkdir()
    for i, (w, h) in enumerate(SIZES):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((h, w, 3), (0, 30 * i, 90), np.uint8))
    add_one(project, sources(folder)[0])


@pytest.fixture
def room(qtbot: QtBot, tmp_path: Path) -> Iterator[Room]:
    project = make_project(tmp_path / "project")
    photos(project, tmp_path / "photos")
    made = Room(qtbot, project)
    yield made
    made.end()


def to_photos(room: Room) -> None:
    room.key(Qt.Key.Key_PageDown, CTRL)
    assert room.controls.screen.key == ("photos", 0)


def test_a_set_is_listed_and_stepped_through(room: Room) -> None:
    row = room.window.panel.clips.topLevelItem(1)
    assert row is not None and (row.text(0), row.text(1)) == ("photos", "0 / 4")
    assert row.toolTip(0) == "photos: 4 pictures"
    to_photos(room)
    for i, size in enumerate(SIZES):
        assert room.controls.screen.key == ("photos", i)
        assert room.canvas.size_wh() == size, "each picture has its own size and fits the window"
        assert room.window.place.text().startswith(f"picture {i} of 3, zoom")
        room.key(Qt.Key.Key_Right)
    assert room.controls.screen.key == ("photos", 3), "the last one"
    room.key(Qt.Key.Key_Home)
    assert room.controls.screen.key == ("photos", 0)
    room.line.sought.emit(2.4)
    room.settle()
    assert room.controls.screen.key == ("photos", 2), "the timeline leads to a picture"
    room.key(Qt.Key.Key_PageDown, CTRL)
    assert room.controls.screen.key == ("a.mp4", 0)


def test_pictures_are_labelled_without_a_time(room: Room) -> None:
    to_photos(room)
    room.key(Qt.Key.Key_Right)
    room.click(20, 10)
    room.click(30, 70)
    room.key(Qt.Key.Key_Right)
    room.key("r")
    room.drag((10, 10), (100, 50))
    room.key(Qt.Key.Key_Right)
    room.key("b")
    found = read_labels(room.project).frames
    assert sorted(found) == [("photos", 1), ("photos", 2), ("photos", 3)]
    assert [found["photos", i].size_wh for i in (1, 2, 3)] == [(40, 80), (120, 60), (96, 64)]
    assert {f.t for f in found.values()} == {0.0} and found["photos", 3].negative
    assert room.line.line.labelled == (1.0, 2.0) and room.line.line.negative == (3.0,)
    assert room.line.line.is_stills
    picture = cv2.imread(str(room.project.frames_dir / "photos" / "frame000001.png"))
    assert picture is not None and picture.shape == (80, 40, 3), "as it was added"
    room.key("a")
    assert room.controls.screen.key == ("photos", 2)
    room.key(Qt.Key.Key_PageDown, CTRL)
    for _ in range(3):
        room.key("z", CTRL)
    assert room.controls.screen.key == ("photos", 1), "undo leads there from another clip"


def test_a_picture_says_nothing_about_the_next_one(room: Room) -> None:
    to_photos(room)
    room.controls.guessed(("photos", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    assert neighbours(room.controls, ("photos", 1), 1.0) == (None, None)
    room.key("c")
    assert "no labelled frame before" in room.message
    room.key(Qt.Key.Key_Right)
    room.key("c")
    assert len(room.controls.objects()) == 1, "copying is still possible"


def test_what_is_pasted_into_a_smaller_picture_lies_in_it(room: Room) -> None:
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.key("c", CTRL)
    to_photos(room)
    room.key(Qt.Key.Key_Right)
    room.key("v", CTRL)
    # x 20 to 40 in a picture of 40 x 80, whose last column is 39
    assert room.controls.objects()[0].xy.tolist() == [[19, 20], [29, 30], [39, 20]]


def test_pictures_have_no_ranges(room: Room) -> None:
    assert room.line.line.kinds == ("gesture", "pose")
    to_photos(room)
    assert room.line.line.kinds == () and "have no time" in room.window.numbers.text()
    room.press("1")
    room.release("1")
    assert "pictures have no time" in room.message and room.store.labels.ranges == ()
    room.key("p")
    assert "one picture a second" in room.message
    room.play_to(1.2)
    assert room.controls.screen.key == ("photos", 1)


def test_a_picture_that_is_gone_is_not_labelled(room: Room) -> None:
    (room.project.frames_dir / "photos" / "frame000001.png").unlink()
    to_photos(room)
    room.key(Qt.Key.Key_Right)
    room.key("b")
    assert "could not be decoded" in room.message and room.controls.label() is None


def test_space_leads_to_suggested_pictures(
    qtbot: QtBot, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked = [Suggestion("photos", 2, None, 1.5, "unsure of tip")]
    monkeypatch.setattr("train.suggest.suggest.suggest", lambda *_: ranked)
    room.key(Qt.Key.Key_Space)

    def is_there() -> bool:
        room.window.tick()
        return room.controls.screen.key == ("photos", 2)

    qtbot.waitUntil(is_there, timeout=20_000)
    assert room.line.line.suggested == (2.0,), "a diamond at its number"
