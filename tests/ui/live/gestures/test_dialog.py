"""Teaching in the window, with a clock of the test's own and hands of the bundled examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent

from tests.helpers.fake_pipeline import plain
from tests.helpers.fake_window import Studio
from tests.tracker.gestures.motions.moved import moved, rest
from tests.tracker.gestures.motions.test_learn import zorro
from tests.tracker.gestures.taught import examples, seen
from tracker.gestures.own import Own, read_own, usual_file, write_own
from tracker.result import Result
from ui.live.gestures.dialog import STEPS, GestureDialog


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


class Class:
    """A dialog whose clock moves as hands are shown."""

    def __init__(self, studio: Studio) -> None:
        self.studio, self.now = studio, 0.0
        self.window = studio.open()
        self.dialog = GestureDialog(self.window, self.window.controls, lambda: self.now)
        self.window.gestures = self.dialog
        studio.key("g")
        self.settle()

    def settle(self) -> None:
        jobs = self.window.controls.jobs
        self.studio.bot.waitUntil(
            lambda: jobs._running == [] or all(job.future.done() for job in jobs._running),
            timeout=60_000,
        )
        self.studio.settle()
        assert not self.dialog.is_learning

    def show(self, name: str, seconds: float, skip: int = 0) -> None:
        """Hands of a bundled gesture in the picture, five frames a second."""
        hands = examples(name, 50, skip) or (None,)
        for i in range(round(5 * seconds)):
            self.now += 0.2
            sample = hands[i % len(hands)]
            tracks = () if sample is None else (seen(sample.hands[0]),)
            self.studio.pipeline.give(plain(), Result(self.now, tracks))
            self.window.tick()
            self.dialog.tick()

    def teach(self, name: str, shape: str) -> None:
        self.dialog.name.setText(name)
        self.studio.bot.mouseClick(self.dialog.start, Qt.MouseButton.LeftButton)
        self.show(shape, 13.0)
        self.show("fist", 13.2)
        self.settle()


def names(dialog: GestureDialog) -> list[str]:
    return [dialog.list.item(i).text() for i in range(dialog.list.count())]  # type: ignore[union-attr]


def test_from_g_to_a_gesture_that_is_used(studio: Studio) -> None:
    room = Class(studio)
    dialog = room.dialog
    assert dialog.isVisible() and "Name it and press Start" in dialog.words.text()
    room.teach("corner", "l_shape")
    assert room.now < 45, "seconds from G to a gesture"
    assert names(dialog) == ["corner"] and "Corner is shown from" in dialog.words.text()
    assert read_own(usual_file()).names == ("corner",)
    assert studio.calls("configure")[-1][0].gestures == usual_file()  # type: ignore[attr-defined]
    told = len(studio.calls("configure"))
    room.teach("y", "call")
    assert names(dialog) == ["corner", "y"] and len(studio.calls("configure")) == told + 1
    room.teach("y", "call")
    assert [len(g.takes) for g in read_own(usual_file()).gestures] == [1, 2], "more samples"


def test_undo_redo_remove_and_the_slider(studio: Studio) -> None:
    room = Class(studio)
    dialog, press = room.dialog, Qt.MouseButton.LeftButton
    room.teach("corner", "l_shape")
    before = dialog.words.text()
    dialog.slider.setValue(STEPS)
    room.settle()
    assert read_own(usual_file()).gestures[0].strictness == 1.0 and dialog.words.text() != before
    studio.bot.keyClick(dialog.slider, Qt.Key.Key_Left)
    room.settle()
    assert read_own(usual_file()).gestures[0].strictness == 1.0 - 1 / STEPS, "by the keyboard"
    studio.bot.mouseClick(dialog.remove, press)
    room.settle()
    assert names(dialog) == [] and not dialog.remove.isEnabled()
    assert dialog.undo.toolTip() == "Corner removed"
    studio.bot.mouseClick(dialog.undo, press)
    room.settle()
    studio.bot.mouseClick(dialog.redo, press)
    room.settle()
    assert names(dialog) == [] and len(read_own(usual_file()).done) == 4


def test_undo_says_what_it_took_back_and_the_keyboard_stays_where_it_is(studio: Studio) -> None:
    room = Class(studio)
    dialog, bot = room.dialog, studio.bot
    room.teach("corner", "l_shape")
    dialog.slider.setFocus()
    for step in (6, 7):  # as the keyboard goes: to what has the focus
        bot.keyClick(dialog.focusWidget(), Qt.Key.Key_Right)
        room.settle()
        assert dialog.slider.value() == step
        assert read_own(usual_file()).gestures[0].strictness == step / STEPS
    counts = [len(action["samples"]) for action in read_own(usual_file()).done[:2]]
    assert all(49 <= count <= 51 for count in counts), "ten seconds at five a second"
    dialog.undo.setFocus()
    lines = []
    for _ in range(3):
        bot.keyClick(dialog.focusWidget(), Qt.Key.Key_Space)
        room.settle()
        lines.append(dialog.words.text().splitlines()[0])
    assert lines == [
        "Taken back: how strict corner is.",
        f"Taken back: {counts[1]} samples of anything else than corner.",
        f"Taken back: {counts[0]} samples of corner.",
    ]
    bot.mouseClick(dialog.redo, Qt.MouseButton.LeftButton)
    room.settle()
    said = dialog.words.text().splitlines()
    assert said[0] == f"Done again: {counts[0]} samples of corner."
    assert said[1].startswith("Corner is shown")


def test_which_hand_shows_it_counts_at_once(studio: Studio) -> None:
    room = Class(studio)
    dialog = room.dialog

    def choose(hands: str) -> None:  # as with the mouse
        row = dialog.hands.findData(hands)
        dialog.hands.setCurrentIndex(row)
        dialog.hands.activated.emit(row)
        room.settle()

    choose("left")
    assert not usual_file().exists(), "nothing is there yet"
    room.teach("corner", "l_shape")
    assert read_own(usual_file()).gestures[0].hands == "left"
    choose("right")
    studio.bot.mouseClick(dialog.any_turn, Qt.MouseButton.LeftButton)
    room.settle()
    (corner,) = read_own(usual_file()).gestures
    assert (corner.hands, corner.any_turn, len(corner.takes)) == ("right", True, 1)
    assert dialog.any_turn.isChecked()
    choose("both")
    assert "is a gesture of right" in dialog.words.text()
    assert dialog.hands.currentData() == "right" and len(read_own(usual_file()).done) == 4
    dialog.name.setText("another")
    choose("both")
    assert len(read_own(usual_file()).done) == 4, "of a new one it counts when it is shown"


def test_a_lesson_that_failed_does_not_look_done(studio: Studio) -> None:
    """Its ring was full and blue, and its sentence began small."""
    room = Class(studio)
    dialog = room.dialog
    assert dialog.heading.text() == "Your gestures: none yet"
    dialog.name.setText("corner")
    studio.bot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    for _ in range(4):
        dialog._skip()
        room.now += 0.1
    assert dialog.lesson is None and dialog.ring.share == 0.0
    assert dialog.words.text().startswith("A hand was seen in 0 frames")
    room.teach("corner", "l_shape")
    assert dialog.heading.text() == "Your gestures:"


def test_esc_and_the_cross_close_it_and_end_a_lesson(studio: Studio) -> None:
    """Esc left it open, with the words of a lesson that was over."""
    room = Class(studio)
    dialog = room.dialog
    esc = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    leaves: list[Callable[[], object]] = [lambda: dialog.keyPressEvent(esc), dialog.close]
    for leave in leaves:
        dialog.show()
        dialog.name.setText("corner")
        studio.bot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
        room.show("l_shape", 4.0)
        leave()
        assert not dialog.isVisible() and dialog.lesson is None
        assert dialog.words.text() == "Stopped; nothing was kept of it."
        assert dialog.ring.share == 0.0 and not usual_file().exists()


def test_many_words_are_seen_whole(studio: Studio) -> None:
    dialog = Class(studio).dialog
    dialog._say("\n".join(f"Sentence {k} of what is told." for k in range(15)))
    studio.settle()
    words, ring, start = (part.geometry() for part in (dialog.words, dialog.ring, dialog.start))
    assert words.height() >= 15 * dialog.words.fontMetrics().lineSpacing()
    assert ring.bottom() < words.top() and words.bottom() < start.top()
    assert ring.height() >= dialog.ring.minimumHeight()


def test_a_lesson_without_a_hand_keeps_nothing(studio: Studio) -> None:
    room = Class(studio)
    room.dialog.name.setText("corner")
    studio.bot.mouseClick(room.dialog.start, Qt.MouseButton.LeftButton)
    room.show("l_shape", 12.0, skip=10_000)
    assert "No hand is seen" in room.dialog.words.text()
    room.show("fist", 14.2)
    assert "A hand was seen in" in room.dialog.words.text() and not usual_file().exists()


def test_stopped_and_named_wrongly(studio: Studio) -> None:
    room = Class(studio)
    dialog, press = room.dialog, Qt.MouseButton.LeftButton
    for name, words in (("", "needs a name"), ("none", "cannot name a gesture")):
        dialog.name.setText(name)
        studio.bot.mouseClick(dialog.start, press)
        assert words in dialog.words.text() and dialog.lesson is None
    dialog.name.setText("corner")
    studio.bot.mouseClick(dialog.start, press)
    room.show("l_shape", 5.0)
    assert dialog.ring.word == "Show corner" and 0.1 < dialog.ring.share < 0.3
    studio.bot.mouseClick(dialog.start, press)
    assert dialog.lesson is None and not usual_file().exists()


def test_a_file_that_cannot_be_read_is_said_and_stays(studio: Studio) -> None:
    usual_file().parent.mkdir(parents=True)
    usual_file().write_text("[]")
    room = Class(studio)
    assert "holds no gestures that can be read" in room.dialog.words.text()
    assert not room.dialog.start.isEnabled() and usual_file().read_text() == "[]"


def test_the_ring_is_drawn(studio: Studio) -> None:
    ring = Class(studio).dialog.ring

    def filled() -> int:
        image = ring.grab().toImage()
        colour = ring.palette().highlight().color().rgb()
        pixels = [image.pixel(x, y) for x in range(image.width()) for y in range(image.height())]
        return int(np.sum(np.array(pixels) == colour))

    counts = []
    for share in (0.0, 0.5, 1.0):
        ring.show_share(share, "Show it")
        counts.append(filled())
    assert counts[0] < 0.05 * counts[2] and counts[1] == pytest.approx(counts[2] / 2, rel=0.1)


def test_a_motion_is_taught_and_told(studio: Studio) -> None:
    room = Class(studio)
    dialog = room.dialog
    dialog.hands.setCurrentIndex(dialog.hands.findData("both"))
    dialog.kind.setCurrentIndex(1)
    assert not dialog.any_turn.isEnabled() and dialog.hands.currentData() == "either"
    dialog.name.setText("zorro")
    studio.bot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    for start, seconds, hand, words in (
        (3.0, 9.8, zorro(4), "short rest before each time"),
        (16.0, 9.8, moved([rest(9.8)]), "Move your hands as you do otherwise"),
    ):
        for t, one in hand.tracks():
            if t < seconds:
                room.now = start + t
                studio.pipeline.give(plain(), Result(room.now, (one,)))
                room.window.tick()
        dialog.tick()
        assert words in dialog.words.text()
    room.now = 26.1
    dialog.tick()
    room.settle()
    assert names(dialog) == ["zorro"], dialog.words.text()
    assert "times in an hour of other movement" in dialog.words.text()
    assert read_own(usual_file()).gestures[0].is_motion
    assert dialog.slider.isEnabled() and dialog.kind.currentData() is True


def test_a_file_that_cannot_be_read_is_not_written_over(studio: Studio) -> None:
    usual_file().parent.mkdir(parents=True)
    usual_file().write_text('{"schema": 2, "done": [], "undone": []}')  # of a later version
    room = Class(studio)
    room.dialog.name.setText("corner")
    assert not room.dialog.start.isEnabled()
    studio.bot.keyClick(room.dialog.name, Qt.Key.Key_Return)
    room.show("l_shape", 13.0)
    room.show("fist", 13.2)
    room.settle()
    assert usual_file().read_text() == '{"schema": 2, "done": [], "undone": []}'


def test_what_another_window_taught_meanwhile_stays(studio: Studio) -> None:
    """The dialog wrote what it had read when it was opened."""
    room = Class(studio)
    room.teach("corner", "l_shape")
    own = read_own(usual_file())
    elsewhere = [{**action, "gesture": "angle"} for action in own.done]
    write_own(usual_file(), Own((*own.done, *elsewhere)))
    room.teach("y", "call")
    assert read_own(usual_file()).names == ("corner", "angle", "y")
    assert names(room.dialog) == ["corner", "angle", "y"]
