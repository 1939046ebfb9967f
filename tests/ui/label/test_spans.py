"""Gestures and head pose over time: number keys that are held, and the timeline."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.helpers.labelling import CTRL, LEFT, PLAIN, SHIFT, Room, make_project, pull
from train.project.journal import read_labels
from train.project.labels import Range


@pytest.fixture
def room(qtbot: QtBot, tmp_path: Path) -> Iterator[Room]:
    made = Room(qtbot, make_project(tmp_path / "project"))
    yield made
    made.end()


def found(room: Room) -> list[tuple[str, str, float, float]]:
    """What is on the disk, rounded."""
    return [
        (r.kind, r.label, round(r.start_s, 3), round(r.end_s, 3))
        for r in read_labels(room.project).ranges
    ]


def hold(room: Room, key: str, seconds: float, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    room.press(key, modifier)
    room.play_to(seconds)
    room.release(key, modifier)


def at(room: Room, t: float, kind: str = "gesture") -> QPoint:
    """The middle of a row of the timeline at a time."""
    return QPoint(round(room.line.x_of(t)), round(room.line.row_of(kind).center().y()))


def test_a_number_held_while_the_clip_plays(room: Room) -> None:
    room.key("p")
    assert room.controls.screen.is_playing
    room.play_to(0.08)
    hold(room, "1", 0.12)
    # Pressed at frame 2 (0.08 s), released at frame 5 (0.20 s), which ends at 0.24 s.
    assert found(room) == [("gesture", "fist", 0.08, 0.24)]
    assert room.controls.screen.is_playing
    hold(room, "0", 0.08)
    assert found(room) == [("gesture", "fist", 0.08, 0.2), ("gesture", "none", 0.2, 0.32)], (
        "frame 5 is under both: the newest range cuts the older"
    )
    room.key("z", CTRL)
    assert found(room) == [("gesture", "fist", 0.08, 0.24)]


def test_what_is_being_labelled_is_shown(room: Room) -> None:
    room.key("p")
    room.press("2")
    room.play_to(0.08)
    coming = room.line.line.coming
    assert (
        coming is not None and coming.label == "point" and "point since" in room.canvas.scene.banner
    )
    room.release("2")
    assert room.line.line.coming is None


def test_head_pose_with_shift_and_by_switching(room: Room) -> None:
    room.key("p")
    hold(room, "!", 0.08, SHIFT)  # Shift+1 of a US keyboard
    assert found(room) == [("pose", "front", 0.0, 0.12)]
    room.key("n")
    assert "head pose" in room.message
    hold(room, "1", 0.08)
    assert found(room) == [("pose", "front", 0.0, 0.2)], "the same class grows"
    hold(room, "0", 0.08)
    assert found(room) == [("pose", "front", 0.0, 0.16)], "0 takes a pose away"


def test_a_key_that_repeats_is_one_press(room: Room) -> None:
    room.key("p")
    room.press("1")
    first = room.window.spans.held
    room.play_to(0.08)
    assert room.window.spans.held is first
    QTest.keyRelease(room.canvas, "1")  # as X11 tells it while a key is down
    room.press("1")
    room.release("2")
    assert room.window.spans.held is first, "another key comes up"
    room.release("1")
    assert len(found(room)) == 1


def test_numbers_without_a_class_say_so(room: Room) -> None:
    room.press("7")
    assert "no gesture number 7" in room.message
    room.press("1")
    room.release("1")
    assert "press P to play" in room.message and found(room) == []


def test_playing_ends_at_the_end_and_starts_again(room: Room) -> None:
    room.key("p")
    room.play_to(1.0)
    assert not room.controls.screen.is_playing and room.controls.screen.frame == 11
    room.key("p")
    assert room.controls.screen.is_playing and room.controls.screen.frame == 0


def two_ranges(room: Room) -> tuple[Range, Range]:
    one = Range("a.mp4", 0.08, 0.2, "gesture", "fist")
    two = Range("a.mp4", 0.28, 0.4, "gesture", "point")
    room.store.set_ranges((one, two))
    room.controls.changed()
    room.window.tick()
    return one, two


def test_ends_are_dragged_to_frames(room: Room) -> None:
    two_ranges(room)
    pull(room.line, at(room, 0.2) - QPoint(1, 0), at(room, 0.247))
    room.settle()
    assert found(room)[0] == ("gesture", "fist", 0.08, 0.24)
    pull(room.line, at(room, 0.24) - QPoint(1, 0), at(room, 0.36))
    room.settle()
    assert found(room) == [("gesture", "fist", 0.08, 0.36), ("gesture", "point", 0.36, 0.4)]
    pull(room.line, at(room, 0.08) + QPoint(1, 0), at(room, 0.0))
    room.settle()
    assert found(room)[0] == ("gesture", "fist", 0.0, 0.36)


def test_a_range_is_deleted_and_changed(room: Room) -> None:
    one, two = two_ranges(room)
    QTest.mouseClick(room.line, LEFT, PLAIN, at(room, 0.14))
    room.settle()
    assert room.window.spans.chosen == one
    hold(room, "2", 0.0)
    assert found(room)[0] == ("gesture", "point", 0.08, 0.2)
    room.key(Qt.Key.Key_Delete)
    assert found(room) == [("gesture", "point", 0.28, 0.4)]
    QTest.mouseClick(room.line, Qt.MouseButton.RightButton, PLAIN, at(room, 0.34))
    assert room.window.spans.chosen == two
    room.window.spans.relabel(two, "none")
    assert found(room) == [("gesture", "none", 0.28, 0.4)]


def test_the_timeline_leads_to_frames(room: Room) -> None:
    QTest.mouseClick(room.line, LEFT, PLAIN, QPoint(round(room.line.x_of(0.21)), 8))
    room.settle()
    assert room.controls.screen.frame == 5
    assert room.line.t_of(room.line.x_of(0.3)) == pytest.approx(0.3)


def test_ranges_are_saved_as_written_down(room: Room) -> None:
    two_ranges(room)
    room.key("s", CTRL)
    with room.project.ranges_path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["clip"], float(r["start_s"]), r["kind"], r["label"]) for r in rows] == [
        ("a.mp4", 0.08, "gesture", "fist"), ("a.mp4", 0.28, "gesture", "point"),
    ]  # fmt: skip


def test_seconds_of_gestures_are_counted(room: Room) -> None:
    two_ranges(room)
    row = room.window.panel.clips.topLevelItem(0)
    assert row is not None and row.text(2) == "0.2 s"


def test_fingers_that_overlap_lose_no_label(room: Room) -> None:
    room.key("p")
    room.press("1")
    room.play_to(0.12)
    room.press("2")  # before 1 is up
    QTest.keyRelease(room.canvas, "1")
    room.play_to(0.12)
    room.release("2")
    # 1 from frame 0, 2 from frame 3 (0.12 s) to frame 6, which ends at 0.28 s.
    assert found(room) == [("gesture", "fist", 0.0, 0.12), ("gesture", "point", 0.12, 0.28)]


def test_closing_while_a_key_is_down_keeps_its_label(room: Room) -> None:
    room.key("p")
    room.press("1")
    room.play_to(0.08)
    room.window.close()
    # From frame 0 to frame 2 (0.08 s), which ends at 0.12 s.
    assert found(room) == [("gesture", "fist", 0.0, 0.12)]


def test_a_key_right_after_another_goes_on_being_held(room: Room) -> None:
    room.key("p")
    room.press("1")
    room.play_to(0.08)
    QTest.keyRelease(room.canvas, "1")
    room.press("2")  # sooner than 1 counts as up
    room.window.spans.tick(time.monotonic() + 1.0)
    assert room.window.spans.held is not None
    room.play_to(0.12)
    room.release("2")
    # 2 from frame 2 (0.08 s) to frame 5, which ends at 0.24 s.
    assert found(room) == [("gesture", "fist", 0.0, 0.08), ("gesture", "point", 0.08, 0.24)]


def test_what_is_chosen_in_another_clip_is_left_alone(qtbot: QtBot, tmp_path: Path) -> None:
    room = Room(qtbot, make_project(tmp_path / "project", clips=2))
    two_ranges(room)
    QTest.mouseClick(room.line, LEFT, PLAIN, at(room, 0.14))
    room.key(Qt.Key.Key_PageDown, CTRL)
    assert room.controls.screen.clip.name == "b.mp4"
    hold(room, "2", 0.0)
    room.key(Qt.Key.Key_Delete)
    assert found(room) == [("gesture", "fist", 0.08, 0.2), ("gesture", "point", 0.28, 0.4)]
    room.end()


def labelled_at(room: Room, x: float, y: float) -> None:
    """An object of which one landmark is placed."""
    room.key("i")
    room.click(x, y)
    room.controls.choose_first()
    assert len(room.controls.objects()) == 1


def test_delete_takes_what_was_chosen_last(room: Room) -> None:
    two_ranges(room)
    labelled_at(room, 30, 20)
    QTest.mouseClick(room.line, LEFT, PLAIN, at(room, 0.14))
    room.click(30, 20)  # a point of the object
    room.key(Qt.Key.Key_Delete)
    assert len(found(room)) == 2 and not room.controls.objects()


def test_a_range_that_was_undone_is_chosen_no_more(room: Room) -> None:
    one, _ = two_ranges(room)
    labelled_at(room, 30, 20)
    room.window.spans.choose(one)
    hold(room, "2", 0.0)
    room.key("z", CTRL)
    assert room.window.spans.chosen is None
    room.key(Qt.Key.Key_Delete)
    assert len(found(room)) == 2 and not room.controls.objects()
