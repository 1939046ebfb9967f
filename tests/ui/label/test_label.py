"""The labeller with real key and mouse events on real clips: points and frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QTextDocument, QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.clips import picture
from tests.helpers.labelling import CTRL, LEFT, PLAIN, RIGHT, SHIFT, Room, guess, make_project, pull
from tests.helpers.teaching import MARKUP, with_clip
from tracker.types import Frame
from train.project.journal import read_labels
from train.project.labels import UNSURE
from train.project.layout import create_project
from ui.label.actions_table import ENTRIES
from ui.label.controls import Chosen
from ui.label.threads.workers import DecodedFrame, Decoder, WantedFrame

Open = Callable[..., Room]


@pytest.fixture
def open_room(qtbot: QtBot, tmp_path: Path) -> Iterator[Open]:
    rooms: list[Room] = []

    def make(clips: int = 1) -> Room:
        root = tmp_path / "project"
        project = rooms[0].project if rooms else make_project(root, clips)
        rooms.append(Room(qtbot, project))
        return rooms[-1]

    yield make
    for room in reversed(rooms):
        room.end()


def points(room: Room, number: int = 0) -> list[list[float]]:
    return room.controls.objects()[number].xy.tolist()


def test_clicks_place_landmarks_in_order(open_room: Open) -> None:
    room = open_room()
    for at, word in (((20, 10), "left"), ((40, 30), "right"), ((60, 12), "every landmark")):
        room.click(*at)
        assert word in room.message
    (thing,) = room.controls.objects()
    assert thing.source == "user" and thing.v.tolist() == [2, 2, 2]
    size = 0.5 / room.canvas.view.scale + 1e-3  # the mouse has whole pixels
    assert np.abs(thing.xy - [[20, 10], [40, 30], [60, 12]]).max() <= size
    room.click(80, 50)
    assert len(room.controls.objects()) == 1 and room.controls.chosen is None, (
        "nothing is left to place"
    )
    folder = room.project.frames_dir / "a"
    assert [p.name for p in folder.iterdir()] == ["frame000000.png"]


def test_a_landmark_can_be_skipped_and_placed_later(open_room: Open) -> None:
    room = open_room()
    room.click(20, 10)
    room.key(Qt.Key.Key_Down)
    room.click(60, 12)
    assert room.controls.objects()[0].v.tolist() == [2, 0, 2]
    assert room.controls.landmark == 1, "the one that was left out is next"
    room.key(Qt.Key.Key_Escape)
    room.click(80, 50)
    assert room.controls.objects()[0].v.tolist() == [2, 0, 2], "Esc ended placing"


def test_a_painted_point_lies_on_its_pixel(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.controls.choose(None)
    for _ in range(3):
        room.window.tick()
        image = room.canvas.grab().toImage()
        at = room.canvas.view.to_widget(20, 20)
        first = room.project.landmarks.index("tip")
        blue, green, red = room.window._look.points[first]
        found = QColor(image.pixel(at.toPoint()))
        assert (found.red(), found.green(), found.blue()) == (red, green, blue)
        disc = [
            (x, y)
            for y in range(int(at.y()) - 12, int(at.y()) + 12)
            for x in range(int(at.x()) - 12, int(at.x()) + 12)
            if QColor(image.pixel(x, y)) == QColor(red, green, blue)
        ]
        middle = np.mean(disc, 0) + 0.5  # widget pixel 0 covers 0 to 1
        assert np.abs(middle - (at.x(), at.y())).max() < 0.6
        room.canvas.zoom(2.3, at)


def test_the_picture_lies_under_its_coordinates(open_room: Open) -> None:
    """The red patch of the clip ends after column 23 and row 15."""
    room = open_room()
    for factor in (1.0, 1.7, 0.4):
        room.canvas.zoom(factor, QPointF(room.place(24, 8)))
        image = room.canvas.grab().toImage()

        def is_red(x: float, y: float, image: object = image) -> bool:
            at = room.canvas.view.to_widget(x, y)
            colour = QColor(image.pixel(int(at.x()), int(at.y())))  # type: ignore[attr-defined]
            return colour.red() > 170 and colour.green() < 90

        assert is_red(21, 8) and not is_red(26, 8)
        assert is_red(20, 13) and not is_red(20, 18)


def test_guesses_become_labels_when_accepted(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(1), guess(2, 60)))
    room.window.tick()
    assert room.controls.label() is None and len(room.canvas.scene.things) == 2
    assert read_labels(room.project).frames == {}
    room.key(Qt.Key.Key_Return)
    found = read_labels(room.project).frames["a.mp4", 0]
    assert [o.id for o in found.objects] == [1, 2] and found.objects[0].source == "model"
    assert found.size_wh == (96, 64) and found.t == 0
    assert room.controls.open_guesses() == []
    assert room.canvas.scene.note == "Accepted 2 guesses on frame 0"  # in the picture
    room.key(Qt.Key.Key_Return)
    assert "no guess" in room.message
    assert room.canvas.scene.note == "No guess to accept on this frame: it is labelled"
    room.controls._flash_until = 0.0
    room.window.tick()
    assert room.canvas.scene.note == "Labelled"  # for a moment only


def test_guesses_that_are_hidden_are_not_accepted(open_room: Open) -> None:
    """Enter took them unseen, and a click placed nothing, since a guess was there."""
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key("g")
    assert room.canvas.scene.note == "Not labelled" and room.controls.thing() is None
    room.key(Qt.Key.Key_Return)
    assert room.controls.objects() == () and "G shows them" in room.message
    room.click(70, 50)
    (thing,) = room.controls.objects()
    assert thing.v.tolist() == [2, 0, 0] and thing.source == "user"
    room.key("z", CTRL)
    room.key("g")
    room.key(Qt.Key.Key_Return)
    (thing,) = room.controls.objects()
    assert thing.source == "model"


def test_a_guess_of_which_nobody_is_sure_is_faint_and_says_so(open_room: Open) -> None:
    room = open_room()
    sure = guess(1)
    shown = {}
    for name, source in (("nothing", None), ("faint", UNSURE), ("sure", "model")):
        found = () if source is None else (replace(sure, source=source),)
        room.controls.guessed(("a.mp4", 0), found)
        room.controls.choose(None)
        room.window.tick()
        shown[name] = room.canvas.grab().toImage()
        if name == "faint":
            assert room.canvas.scene.note.startswith("Unsure guess: drag it")
            assert room.controls.thing() is None  # a click still begins a new object
    at = room.place(*sure.xy[0])
    faint = _distance(shown["faint"], shown["nothing"], at)
    assert 500 < faint < 0.7 * _distance(shown["sure"], shown["nothing"], at)
    room.controls.guessed(("a.mp4", 0), (replace(sure, source=UNSURE),))
    room.key(Qt.Key.Key_Return)
    (label,) = room.controls.objects()
    assert label.source == "model" and "look at each" in room.message


def _distance(a: QImage, b: QImage, at: QPoint) -> int:
    """The differences of brightness within 8 pixels of a point, added up."""
    around = [(at.x() + i, at.y() + j) for i in range(-8, 9) for j in range(-8, 9)]
    return sum(abs(a.pixelColor(*p).lightness() - b.pixelColor(*p).lightness()) for p in around)


def test_a_guess_that_is_dragged_is_a_label_and_the_other_stays_a_guess(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(1), guess(2, 60)))
    room.window.tick()
    room.drag((30, 30), (34, 35))
    (thing,) = room.controls.objects()
    assert thing.source == "user"
    assert thing.xy.tolist()[0] == [20, 20] and thing.xy.tolist()[2] == [40, 20]
    assert np.abs(thing.xy[1] - [34, 35]).max() < 0.2
    assert [g.id for g in room.controls.open_guesses()] == [2]


def test_a_click_on_a_point_moves_nothing(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.window.tick()
    at = room.place(30, 30) + QPoint(2, 1)
    QTest.mouseClick(room.canvas, LEFT, PLAIN, at)
    room.settle()
    assert room.controls.label() is None
    assert room.controls.chosen == Chosen(1, True) and room.controls.landmark == 1


def test_a_point_moves_as_far_as_the_mouse_wherever_it_was_gripped(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    start, way = room.place(20, 20) + QPoint(4, -3), QPoint(50, 30)
    pull(room.canvas, start, start + way)
    room.settle()
    expected = np.array([20, 20]) + np.array([50, 30]) / room.canvas.view.scale
    assert np.abs(np.array(points(room)[0]) - expected).max() < 1e-3


def test_points_stay_in_the_frame(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.drag((20, 20), (-300, 30))
    assert points(room)[0][0] == 0
    room.drag((40, 20), (300, 200))
    assert points(room)[2] == [95, 63]


def test_right_clicks_change_visibility(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.window.tick()
    room.click(30, 30, RIGHT)
    assert room.controls.objects()[0].v.tolist() == [2, 1, 2] and "occluded" in room.message
    room.click(30, 30, RIGHT)
    assert room.controls.objects()[0].v.tolist() == [2, 0, 2] and "not labelled" in room.message
    room.click(50, 50)
    assert room.controls.objects()[0].v.tolist() == [2, 2, 2], "a click places it again"
    room.click(90, 60, RIGHT)
    room.key("v")
    assert room.controls.objects()[0].v[1] == 1


def test_nudging(open_room: Open) -> None:
    room = open_room()
    room.key(Qt.Key.Key_Right, SHIFT)
    assert "no point is chosen" in room.message
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.key(Qt.Key.Key_Down)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        room.key(key, SHIFT)
    room.key(Qt.Key.Key_Down, SHIFT | Qt.KeyboardModifier.AltModifier)
    assert points(room)[0] == pytest.approx([22, 19.2])
    assert room.controls.screen.frame == 0


def test_nudging_stays_in_the_frame(open_room: Open) -> None:
    """'train check' calls what lies outside an error."""
    room = open_room()
    room.click(2, 20)
    room.key(Qt.Key.Key_Up)
    for _ in range(4):
        room.key(Qt.Key.Key_Left, SHIFT)
    x, y = points(room)[0]
    assert x == 0 and y == pytest.approx(20, abs=0.5 / room.canvas.view.scale + 1e-3)


def test_shift_drag_moves_an_object(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.drag((20, 20), (25, 30), SHIFT)
    assert np.abs(np.array(points(room)) - [[25, 30], [35, 40], [45, 30]]).max() < 0.2


def test_several_objects(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.key("i")
    assert "click where 'tip'" in room.message
    room.click(70, 50)
    assert [o.id for o in room.controls.objects()] == [1, 2] and room.controls.chosen == Chosen(2)
    room.key("x")
    assert room.controls.chosen == Chosen(1)
    room.key(Qt.Key.Key_Delete)
    assert [o.id for o in room.controls.objects()] == [2]
    room.key(Qt.Key.Key_Delete)
    assert room.controls.label() is None
    room.key("z", CTRL)
    room.key("z", CTRL)
    assert [o.id for o in room.controls.objects()] == [1, 2]


def test_a_guess_can_be_thrown_away(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.window.tick()
    room.click(20, 20)
    room.key(Qt.Key.Key_Delete)
    assert room.controls.open_guesses() == [] and room.controls.label() is None


def test_nothing_here(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key("b")
    label = read_labels(room.project).frames["a.mp4", 0]
    assert label.negative and label.objects == ()
    assert room.canvas.scene.things == () and room.canvas.scene.mark == "negative"
    room.key("b")
    assert read_labels(room.project).frames == {}


def test_frames_as_in_sleap(open_room: Open) -> None:
    room = open_room()
    alt = Qt.KeyboardModifier.AltModifier
    for key, modifier, frame in (
        (Qt.Key.Key_Right, PLAIN, 1), (Qt.Key.Key_Right, CTRL, 5), (Qt.Key.Key_Left, PLAIN, 4),
        (Qt.Key.Key_Left, CTRL, 0), (Qt.Key.Key_Right, CTRL | alt, 11),
        (Qt.Key.Key_Left, CTRL | alt, 0), (Qt.Key.Key_End, PLAIN, 11), (Qt.Key.Key_Home, PLAIN, 0),
    ):  # fmt: skip
        room.key(key, modifier)
        assert room.controls.screen.key == ("a.mp4", frame)
    room.key(Qt.Key.Key_Right)
    seen = room.controls.screen.seen
    assert seen is not None and seen.frame.bgr is not None
    assert np.abs(seen.frame.bgr.astype(int) - picture(1)).mean() < 12, "the picture of frame 1"
    assert seen.frame.t == pytest.approx(0.04)


def test_copying(open_room: Open) -> None:
    room = open_room()
    room.key("c")
    assert "no labelled frame before" in room.message
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    room.key("c", CTRL)
    room.key(Qt.Key.Key_Right, CTRL)
    room.key("c")
    assert points(room) == guess().xy.tolist() and room.controls.objects()[0].source == "user"
    assert room.message == "points copied from frame 0"
    room.key(Qt.Key.Key_Right)
    room.key("v", CTRL)
    assert sorted(n for _, n in read_labels(room.project).frames) == [0, 4, 5]
    room.key("a")
    assert room.controls.screen.frame == 4
    room.key("a")
    assert room.controls.screen.frame == 0
    room.key("d")
    assert room.controls.screen.frame == 4


def test_undo_goes_where_the_change_was(open_room: Open) -> None:
    room = open_room(2)
    for i in range(3):
        room.controls.guessed(("a.mp4", i), (guess(),))
        room.key(Qt.Key.Key_Return)
        room.key(Qt.Key.Key_Right)
    room.key(Qt.Key.Key_PageDown, CTRL)
    assert room.controls.screen.key == ("b.mp4", 0)
    for left, frame in ((2, 2), (1, 1), (0, 0)):
        room.key("z", CTRL)
        assert len(read_labels(room.project).frames) == left
        assert room.controls.screen.key == ("a.mp4", frame)
    room.key("z", CTRL)
    for _ in range(3):
        room.key("z", CTRL | SHIFT)
    assert sorted(n for _, n in read_labels(room.project).frames) == [0, 1, 2]


def test_progress_of_each_clip(open_room: Open) -> None:
    room = open_room(2)
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    rows = [room.window.panel.clips.topLevelItem(i) for i in range(2)]
    assert [[row.text(0), row.text(1)] for row in rows if row] == [
        ["a.mp4", "1 / 12"], ["b.mp4", "0 / 13"],
    ]  # fmt: skip
    room.window.panel.clip_chosen.emit("b.mp4")
    room.settle()
    assert room.controls.screen.key == ("b.mp4", 0)


def test_saving(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.key(Qt.Key.Key_Return)
    assert room.store.unsaved == 1
    room.key("s", CTRL)
    assert room.store.unsaved == 0 and room.project.labels_path.is_file()
    assert room.project.journal_path.stat().st_size == 0


def test_a_second_window_only_reads_and_says_so(open_room: Open) -> None:
    first, second = open_room(), open_room()
    assert second.store.read_only and "read-only" in second.window.windowTitle()
    assert "Read-only" in second.canvas.scene.note and "another window" in second.message
    second.controls.guessed(("a.mp4", 0), (guess(),))
    for key in (Qt.Key.Key_Return, "b"):
        second.key(key)
        assert second.controls.label() is None and "not changed" in second.message
    first.to_front()
    first.controls.guessed(("a.mp4", 0), (guess(),))
    first.key(Qt.Key.Key_Return)
    second.window._reloaded_at = -1e9
    second.window.tick()
    assert len(second.controls.objects()) == 1, "it sees what the first one does"


def wheel(room: Room, at: QPoint, steps: int) -> None:
    place = QPointF(at)
    event = QWheelEvent(
        place, room.canvas.mapToGlobal(place), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, PLAIN, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(room.canvas, event)


def test_wheel_and_pan(open_room: Open) -> None:
    room = open_room()
    before, at = room.canvas.view.scale, room.place(70, 40)
    wheel(room, at, 2)
    assert room.canvas.view.scale == pytest.approx(before * 1.25**2)
    assert (room.place(70, 40) - at).manhattanLength() <= 1
    pull(room.canvas, at, at + QPoint(30, -20), button=Qt.MouseButton.MiddleButton)
    assert (room.place(70, 40) - at - QPoint(30, -20)).manhattanLength() <= 2
    room.press(Qt.Key.Key_Space)
    pull(room.canvas, at, at - QPoint(30, -20))
    room.release(Qt.Key.Key_Space)
    assert (room.place(70, 40) - at).manhattanLength() <= 2
    assert room.controls.label() is None and not room.window.suggestions.is_ranking
    room.key("f")
    assert room.canvas.view.scale == pytest.approx(before)


def test_looks(open_room: Open) -> None:
    room = open_room()
    room.controls.guessed(("a.mp4", 0), (guess(),))
    room.window.tick()
    for key, name in (("t", "with_names"), ("e", "with_edges")):
        before = getattr(room.canvas.scene, name)
        room.key(key)
        assert getattr(room.canvas.scene, name) == (not before)
    room.key("h")
    assert room.canvas.scene.things == ()
    room.key("h")
    room.key("g")
    assert room.canvas.scene.things == ()
    room.key(",")
    assert room.canvas.scene.opacity == pytest.approx(0.9)
    assert room.window.panel.opacity.value() == 90


def test_the_newest_wanted_frame_is_shown_and_nothing_waits(
    open_room: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = open_room()
    read, asked = Decoder.read, list[int]()

    def slow(self: Decoder, wanted: WantedFrame) -> DecodedFrame:
        asked.append(wanted.frame)
        time.sleep(0.3)
        return read(self, wanted)

    monkeypatch.setattr(
        room.controls.screen._reader, "_work", slow.__get__(room.controls.screen._decoder)
    )
    since = time.monotonic()
    for _ in range(9):
        QTest.keyClick(room.canvas, Qt.Key.Key_Right)
        room.window.tick()
    assert time.monotonic() - since < 0.25, "no key waited for the decoder"
    room.press("b")
    assert "still being read" in room.message, "what is not on the screen is not labelled"
    room.settle()
    assert room.controls.screen.key == ("a.mp4", 9) and len(asked) <= 3


def test_frames_that_cannot_be_decoded(open_room: Open) -> None:
    room = open_room()
    seen = room.controls.screen.seen
    assert seen is not None
    room.controls.screen.seen = DecodedFrame(seen.clip, Frame(0, 0.0, None), seen.times)
    room.window.tick()
    room.key("b")
    assert "could not be decoded" in room.message and room.controls.label() is None


def test_a_clip_that_is_gone_is_said(open_room: Open) -> None:
    room = open_room(2)
    (room.project.clips_dir / "b.mp4").unlink()
    room.key(Qt.Key.Key_PageDown, CTRL)
    assert "b.mp4 is missing" in room.message
    room.key(Qt.Key.Key_PageUp, CTRL)
    assert room.controls.screen.key == ("a.mp4", 0)


def test_what_is_looked_at_stays_in_the_middle_of_a_window_that_changes(open_room: Open) -> None:
    """A window made smaller, or the panel of trainings, pushed a zoomed object out of sight."""
    room = open_room()
    canvas = room.canvas
    canvas.zoom(6.0, QPointF(room.place(20, 12)))

    def seen() -> tuple[float, float]:
        return canvas.view.to_frame(QPointF(canvas.width() / 2, canvas.height() / 2))

    before, scale = seen(), canvas.view.scale
    for size in ((820, 560), (1100, 760)):
        room.window.resize(*size)
        QTest.qWait(20)
        assert canvas.view.scale == scale
        assert seen() == pytest.approx(before, abs=0.5)
    width = canvas.width()
    room.key(Qt.Key.Key_F8)
    QTest.qWait(20)
    assert canvas.width() < width, "the panel of trainings takes its room"
    assert seen() == pytest.approx(before, abs=0.5)


def test_every_key_is_used_once(open_room: Open) -> None:
    keys = [key for entry in ENTRIES for key in entry.keys]
    assert len(keys) == len(set(keys))
    room = open_room()
    QTest.keyClick(room.canvas, "?")
    assert room.window._help is not None and room.window._help.isVisible()
    room.window._help.close()


def test_names_of_somebody_elses_project_are_no_markup(qtbot: QtBot, tmp_path: Path) -> None:
    """Rich text would load what <img src> names."""
    markup = replace(MARKUP, landmarks=("a<b>", "left", "right"))
    project = create_project(tmp_path / "theirs", markup, "", ["<b>fist", "point"], None)
    with_clip(project)
    room = Room(qtbot, project)
    room.key("i")
    page = QTextDocument()
    page.setHtml(room.window.panel.object.text())
    assert page.toPlainText() == "Click where a<b> is. Down: skip it."
    assert "1 <b>fist" in room.window.numbers.text()
    assert room.window.numbers.textFormat() == Qt.TextFormat.PlainText
    room.end()
