"""Boxes in the labeller, with real key and mouse events: drawn, dragged, undone, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.labelling import CTRL, LEFT, PLAIN, SHIFT, Room, guess, make_project
from tracker.types import Image
from train.project.journal import read_labels
from train.project.labels import ObjectLabel, box_of
from train.suggest.prelabel import Guesser
from ui.label import edit
from ui.label.controls import Chosen

FRAME = (96, 64)
Open = Callable[..., Room]


@pytest.fixture
def open_room(qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    rooms: list[Room] = []

    def make() -> Room:
        project = rooms[0].project if rooms else make_project(tmp_path / "project")
        rooms.append(Room(qtbot, project))
        return rooms[-1]

    yield make
    for room in reversed(rooms):
        room.end()


def with_guess(room: Room) -> None:
    """Points at (20, 20), (30, 30), (40, 20): their box is 20, 20 to 40, 30."""
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.controls.choose(Chosen(1))
    room.window.tick()


def box(room: Room, number: int = 0) -> list[float]:
    found = room.controls.objects()[number].box_xyxy
    assert found is not None, "the box is not a drawn one"
    return [float(v) for v in found]


def near(room: Room, found: list[float], wanted: list[float]) -> bool:
    """The mouse has whole pixels only."""
    return bool(np.abs(np.subtract(found, wanted)).max() <= 1.0 / room.canvas.view.scale + 1e-3)


def test_a_key_and_a_drag_make_an_object_of_a_box_alone(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    assert "drag from corner to corner" in room.message
    room.drag((60, 50), (20, 12))
    (thing,) = room.controls.objects()
    assert near(room, box(room), [20, 12, 60, 50]), "in whatever direction it is dragged"
    assert thing.source == "user" and thing.v.tolist() == [0, 0, 0]
    assert room.controls.chosen == Chosen(1) and room.controls.landmark is None
    kept = read_labels(room.project).frames["a.mp4", 0].objects[0]
    assert kept.box_xyxy is not None and near(room, kept.box_xyxy.tolist(), box(room))
    room.drag((80, 50), (90, 60))
    assert len(room.controls.objects()) == 1, "one key is one box"
    room.key("r", SHIFT)
    room.drag((70, 10), (90, 30))
    assert [o.id for o in room.controls.objects()] == [1, 2]
    assert near(room, box(room, 1), [70, 10, 90, 30])
    room.key("s", CTRL)
    bbox = json.loads(room.project.labels_path.read_text())["annotations"][0]["bbox"]
    assert near(room, bbox, [20, 12, 40, 38])


def test_the_box_of_the_points_becomes_one_of_its_own_by_dragging(open_room: Open) -> None:
    room = open_room()
    with_guess(room)
    assert room.controls.objects()[0].box_xyxy is None
    room.drag((20, 25), (10, 40))
    assert near(room, box(room), [10, 20, 40, 30]), "a side goes to and fro only"
    room.drag((10, 30), (5, 50))
    assert near(room, box(room), [5, 20, 40, 50]), "a corner goes everywhere"
    assert room.controls.objects()[0].xy.tolist() == guess().xy.tolist(), "no point has moved"
    room.key("z", CTRL)
    assert near(room, box(room), [10, 20, 40, 30])
    room.key("z", CTRL)
    assert room.controls.objects()[0].box_xyxy is None
    room.key("z", CTRL | SHIFT)
    assert near(room, box(room), [10, 20, 40, 30])


def test_a_box_is_drawn_anew_and_given_back_to_the_points(open_room: Open) -> None:
    room = open_room()
    with_guess(room)
    room.key("r")
    room.drag((5, 5), (70, 60))
    assert near(room, box(room), [5, 5, 70, 60]) and len(room.controls.objects()) == 1
    room.key("r")
    room.drag((8, 8), (60, 50))
    assert near(room, box(room), [8, 8, 60, 50])
    room.key("r", CTRL)
    thing = room.controls.objects()[0]
    assert thing.box_xyxy is None and box_of(thing).tolist() == [20, 20, 40, 30]  # type: ignore[union-attr]
    room.key("r", CTRL)
    assert "no object with a drawn box" in room.message


def test_dragging_the_box_of_a_guess_makes_it_a_label(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(1), guess(2, 60)))
    room.window.tick()
    room.drag((40, 25), (48, 25))
    (thing,) = room.controls.objects()
    assert near(room, box(room), [20, 20, 48, 30]) and thing.v.tolist() == [2, 2, 2]
    assert [g.id for g in room.controls.open_guesses()] == [2]


def test_a_box_beside_a_guess_is_another_object(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.window.tick()
    room.key("r")
    room.drag((60, 40), (90, 60))
    (thing,) = room.controls.objects()
    assert thing.v.tolist() == [0, 0, 0] and [g.id for g in room.controls.open_guesses()] == [1]
    room.key("x")
    assert room.controls.chosen == Chosen(1, True)
    room.key("r")
    room.drag((18, 18), (42, 33))
    assert [o.v.tolist() for o in room.controls.objects()] == [[0, 0, 0], [2, 2, 2]]
    assert near(room, box(room, 1), [18, 18, 42, 33])


def test_a_click_on_a_box_chooses_and_changes_nothing(open_room: Open) -> None:
    room = open_room()
    with_guess(room)
    room.controls.choose(None)
    room.window.tick()
    room.click(20, 25)
    assert room.controls.chosen == Chosen(1) and room.controls.objects()[0].box_xyxy is None
    assert room.store.unsaved == 1


def test_while_a_landmark_is_placed_the_box_is_not_in_the_way(open_room: Open) -> None:
    room = open_room()
    room.click(20, 10)
    room.click(60, 40)
    room.click(20, 25)  # on the left side of the box of the first two
    assert room.controls.objects()[0].v.tolist() == [2, 2, 2]
    assert near(room, room.controls.objects()[0].xy[2].tolist(), [20, 25])


def test_escape_and_tiny_boxes_draw_nothing(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    room.key(Qt.Key.Key_Escape)
    assert not room.canvas.is_drawing and room.message == "no box drawn"
    room.key("r")
    room.drag((20, 12), (20.5, 12.5))
    assert room.controls.label() is None and "no box drawn" in room.message
    assert room.canvas.is_drawing, "the next drag still draws"


def test_boxes_stay_in_the_frame_and_whole_objects_too(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    room.drag((60, 40), (400, 300))
    assert box(room)[2:] == [95, 63]
    room.key(Qt.Key.Key_Escape)
    room.drag((60, 50), (-300, 50))
    assert box(room)[0] == 0
    room.drag((30, 50), (900, 50), SHIFT)
    assert box(room)[2] == 95, "it fills the frame's width and cannot go further"
    room.drag((0, 50), (40, 50))
    room.drag((70, 52), (40, 20), SHIFT)
    found = box(room)
    assert near(room, found, [10, 8, 65, 31]), "Shift and a drag inside moves it"


def test_points_moved_out_of_their_box_take_it_along(open_room: Open) -> None:
    room = open_room()
    with_guess(room)
    room.key("r")
    room.drag((10, 10), (50, 40))
    room.drag((30, 30), (30, 55))
    assert near(room, box(room), [10, 10, 50, 55])


def test_an_object_of_a_box_alone_stays_without_points(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    room.drag((20, 12), (60, 50))
    room.key(Qt.Key.Key_Down)
    room.click(30, 30)
    assert room.controls.objects()[0].v.tolist() == [2, 0, 0]
    room.key("r", CTRL)
    room.key("z", CTRL)
    for _ in range(2):
        room.click(30, 30, Qt.MouseButton.RightButton)
    assert room.controls.objects()[0].v.tolist() == [0, 0, 0], "the box is left"
    room.key("r", CTRL)
    assert "nothing but a box" in room.message and len(room.controls.objects()) == 1
    room.key(Qt.Key.Key_Delete)
    assert room.controls.label() is None


def test_copying_takes_boxes_along(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    room.drag((20, 12), (60, 50))
    wanted = box(room)
    room.key(Qt.Key.Key_Right)
    room.key("c")
    assert box(room) == wanted and room.controls.screen.frame == 1


def test_a_box_hides_the_guess_about_the_same_thing(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(1), guess(2, 60)))
    room.key("r", SHIFT)
    room.drag((19, 19), (41, 31))
    assert [g.id for g in room.controls.open_guesses()] == [2]


def test_landmarks_are_guessed_in_a_box(open_room: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[ObjectLabel] = []

    def seen(self: Guesser, bgr: Image, found: ObjectLabel) -> ObjectLabel | None:
        asked.append(found)
        return None if len(asked) == 1 else ObjectLabel(
            found.id, guess().xy, guess().v, found.box_xyxy, "model"
        )  # fmt: skip

    monkeypatch.setattr(Guesser, "guess_in", seen)
    room = open_room()
    room.key("y")
    assert "no object with a box" in room.message
    room.key("r")
    room.drag((15, 15), (50, 40))
    wanted = box(room)
    room.key("y")
    assert "sees nothing" in room.message and box(room) == wanted
    room.key("y")
    (thing,) = room.controls.objects()
    assert thing.xy.tolist() == guess().xy.tolist() and box(room) == wanted
    assert "3 landmarks placed" in room.message and thing.source == "model"
    room.key("z", CTRL)
    assert room.controls.objects()[0].v.tolist() == [0, 0, 0], "one undo takes all of them back"


def test_boxes_are_painted_where_they_are(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    room.drag((20, 12), (60, 50))
    room.window.tick()
    x0, y0, x1, y1 = box(room)
    for x, y in ((x0, 25), (x1, 40), (30, y0), (50, y1)):
        at = room.canvas.view.to_widget(x, y)
        image = room.canvas.grab().toImage()
        found = QColor(image.pixel(QPointF(at).toPoint()))
        assert found.red() > 180 and found.green() > 150 and found.blue() < 120, "yellow"
    room.key("o")
    image = room.canvas.grab().toImage()
    found = QColor(image.pixel(room.place(x0, 25)))
    assert not (found.red() > 180 and found.green() > 150 and found.blue() < 120)
    room.drag((x0, 25), (5, 25))
    assert box(room)[0] == x0, "what is not seen is not dragged"


@pytest.mark.parametrize(
    ("part", "x", "y", "shape"),
    [
        ("nw", 20, 12, Qt.CursorShape.SizeFDiagCursor),
        ("sw", 20, 50, Qt.CursorShape.SizeBDiagCursor),
        ("e", 60, 30, Qt.CursorShape.SizeHorCursor),
        ("s", 40, 50, Qt.CursorShape.SizeVerCursor),
        ("", 40, 30, Qt.CursorShape.ArrowCursor),
    ],
)
def test_the_cursor_tells_what_would_be_dragged(
    open_room: Open, part: str, x: float, y: float, shape: Qt.CursorShape
) -> None:
    room = open_room()
    room.key("r")
    room.drag((20, 12), (60, 50))
    found = room.canvas.sight.part_at(QPointF(room.place(x, y)))
    assert (found[1] if found else "") == part
    QTest.mouseMove(room.canvas, room.place(x, y) + QPoint(1, 0))
    QTest.mouseMove(room.canvas, room.place(x, y))
    assert room.canvas.cursor().shape() == shape


@pytest.mark.parametrize(
    ("part", "by", "expected"),
    [
        ("w", (5, 9), [15, 20, 40, 50]),
        ("ne", (5, -7), [10, 13, 45, 50]),
        ("s", (0, 900), [10, 20, 40, 63]),
        ("w", (50, 0), [40, 20, 60, 50]),  # across the other side
        ("e", (-29.5, 0), [10, 20, 12, 50]),  # two pixels are kept
        ("n", (0, -90), [10, 0, 40, 50]),
        ("e", (-900, 0), [0, 20, 10, 50]),
    ],
)
def test_resizing_by_hand(part: str, by: tuple[float, float], expected: list[float]) -> None:
    assert edit.resized([10, 20, 40, 50], part, by, FRAME).tolist() == expected


def test_drawing_and_moving_by_hand() -> None:
    assert edit.drawn((30, 5), (10, 40), FRAME).tolist() == [10, 5, 30, 40]  # type: ignore[union-attr]
    assert edit.drawn((90, 60), (200, 200), FRAME).tolist() == [90, 60, 95, 63]  # type: ignore[union-attr]
    assert edit.drawn((10, 10), (11, 40), FRAME) is None
    held = np.array([10, 20, 40, 50], np.float32)
    assert edit.kept_inside(held, (-30, 5), FRAME) == (-10, 5)
    assert edit.kept_inside(held, (3, 30), FRAME) == (3, 13)
    assert edit.kept_inside(None, (3, 30), FRAME) == (3, 30)
    outside = np.array([-5, 20, 40, 50], np.float32)
    assert edit.kept_inside(outside, (-3, 0), FRAME) == (0, 0)


def test_a_point_outside_its_box_does_not_move_it() -> None:
    """Whoever drew a box beside a point meant it."""
    held = edit.with_box(guess(), [25, 10, 50, 40])
    assert edit.with_point(held, 0, (19, 20)).box_xyxy.tolist() == [25, 10, 50, 40]  # type: ignore[union-attr]
    assert edit.with_point(held, 1, (30, 45)).box_xyxy.tolist() == [25, 10, 50, 45]  # type: ignore[union-attr]
    assert edit.cycled(held, 1).box_xyxy.tolist() == [25, 10, 50, 40]  # type: ignore[union-attr]


def test_a_reader_draws_no_box(open_room: Open) -> None:
    open_room()
    second = open_room()
    second.key("r")
    assert "not changed" in second.message and not second.canvas.is_drawing
    second.drag((20, 12), (60, 50), PLAIN)
    assert second.controls.label() is None


def test_what_is_undone_while_it_is_held_is_let_go(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    room.drag((20, 12), (60, 50))
    for hold in (room.place(20, 30), room.place(40, 20)):  # a side, then a point
        QTest.mousePress(room.canvas, LEFT, PLAIN, hold)
        QTest.mouseMove(room.canvas, hold + QPoint(30, 30))
        room.key("z", CTRL)
        room.canvas.grab()
        QTest.mouseRelease(room.canvas, LEFT, PLAIN, hold + QPoint(30, 30))
        room.settle()
        assert room.controls.label() is None
        room.click(40, 20)


def test_the_wheel_waits_while_a_box_is_drawn(open_room: Open) -> None:
    room = open_room()
    room.key("r")
    QTest.mousePress(room.canvas, LEFT, PLAIN, room.place(20, 12))
    before, place = room.canvas.view, QPointF(room.place(20, 12))
    event = QWheelEvent(
        place, room.canvas.mapToGlobal(place), QPoint(), QPoint(0, 120), LEFT, PLAIN,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(room.canvas, event)
    assert room.canvas.view == before
    QTest.mouseMove(room.canvas, room.place(60, 50))
    QTest.mouseRelease(room.canvas, LEFT, PLAIN, room.place(60, 50))
    room.settle()
    assert near(room, box(room), [20, 12, 60, 50])


# A labeller in which a box is drawn as soon as the first frame is there.
DRIVEN = """
import sys
from pathlib import Path
import numpy as np
import ui.label.app
import ui.label.window as module

class Driven(module.LabelWindow):
    def tick(self):
        super().tick()
        if self.controls.screen.is_current and self.controls.label() is None:
            self.boxes.begin()
            self.canvas.drawn.emit(np.array([20, 12, 60, 50], np.float32))
            print("drawn", flush=True)

ui.label.app.LabelWindow = Driven
ui.label.app.run(Path(sys.argv[1]))
"""


def test_a_drawn_box_survives_a_kill(qtbot: QtBot, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    with subprocess.Popen(
        [sys.executable, "-c", DRIVEN, str(project.root)],
        cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "drawn\n"
        os.kill(process.pid, signal.SIGKILL)
    room = Room(qtbot, project)
    try:
        assert "1 action recovered" in room.message and box(room) == [20, 12, 60, 50]
        room.controls.undo()
        assert room.controls.label() is None
    finally:
        room.end()
