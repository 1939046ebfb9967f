"""Gestures of one's own in the live window: teach one in half a minute, more samples, undo."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QStandardItemModel
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from tracker.errors import UserError
from tracker.gestures.naming import recogniser_of
from tracker.gestures.own import (
    Gesture,
    Own,
    checked_name,
    meant_file,
    read_own,
    redo,
    removed,
    undo,
    usual_file,
    with_hands,
    with_strictness,
    words_of,
    write_own,
)
from tracker.gestures.recogniser import Recogniser
from tracker.gestures.teaching import begun, told
from tracker.result import Result
from ui.kit.words import capital
from ui.live.controls import LiveControls
from ui.live.gestures.lesson import Lesson
from ui.live.gestures.ring import Ring

TICK_MS = 50
STEPS = 20  # of the slider
HANDS = {"either": "Either hand", "left": "Left hand", "right": "Right hand", "both": "Both hands"}


class GestureDialog(QDialog):
    """Not modal: the picture goes on beside it."""

    def __init__(
        self,
        parent: QWidget,
        controls: LiveControls,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads the gestures that are there."""
        super().__init__(parent)
        self.setWindowTitle("Gestures of your own")
        self._controls, self._clock = controls, clock
        self.lesson: Lesson | None = None
        self.own, self._recogniser = Own(), Recogniser()
        self.is_learning = self._is_missing = self._is_unreadable = False
        self._focused: QWidget | None = None  # before something was learnt
        self._build()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        try:
            self.own = read_own(self.file)
        except UserError as error:
            self._is_unreadable = True  # whatever it is, nothing is written over it
            self._say(str(error))
            self._show_state()
        else:
            if self.own.names:
                self._change(None)

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return meant_file(self._controls.choices.gestures) or usual_file()

    def _build(self) -> None:
        self.name, self.hands = QLineEdit(), QComboBox()
        self.name.setPlaceholderText("such as heart")
        for key, words in HANDS.items():
            self.hands.addItem(words, key)
        self.any_turn = QCheckBox("The same at any turn of the hand")
        self.kind = QComboBox()
        for words, is_motion in (("A pose that is held", False), ("A motion", True)):
            self.kind.addItem(words, is_motion)
        self.ring, self.words = Ring(), QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)  # names in it are other people's
        self.words.setWordWrap(True)
        self.words.setMinimumWidth(320)
        self.words.setMinimumHeight(5 * self.words.fontMetrics().lineSpacing())
        self.start, self.skip = QPushButton("Start"), QPushButton("Skip")
        self.list, self.slider = QListWidget(), QSlider(Qt.Orientation.Horizontal)
        self.list.setMaximumHeight(110)
        self.heading = QLabel()
        self.list.setAccessibleName("Your gestures")
        self.slider.setRange(0, STEPS)
        self.slider.setTracking(False)  # a value counts when the mouse lets go, or by a key
        self.slider.setAccessibleName("How sure it must be")
        self.remove, self.undo, self.redo = map(QPushButton, ("Remove", "Undo", "Redo"))
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("It is", self.kind)
        form.addRow("Shown by", self.hands)
        form.addRow("", self.any_turn)
        strict = QHBoxLayout()
        for part in (QLabel("Never missed"), self.slider, QLabel("Never by mistake")):
            strict.addWidget(part)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.ring, 1)
        column.addWidget(self.words)
        column.addLayout(_row(self.start, self.skip))
        column.addWidget(self.heading)
        column.addWidget(self.list)
        column.addLayout(strict)
        column.addLayout(_row(self.remove, self.undo, self.redo))
        self._connect()
        self._say("Name it and press Start: show it for ten seconds, then anything else for ten.")
        self._show_state()

    def _connect(self) -> None:
        self.start.clicked.connect(self._start_or_stop)
        self.skip.clicked.connect(self._skip)
        self.name.returnPressed.connect(self._start_or_stop)
        self.name.textChanged.connect(self._show_state)
        self.kind.currentIndexChanged.connect(self._show_state)
        self.list.currentTextChanged.connect(self._choose)
        self.hands.activated.connect(self._set_hands)  # by the user, as with the box
        self.any_turn.clicked.connect(self._set_hands)
        self.slider.valueChanged.connect(self._set_strictness)
        self.remove.clicked.connect(self._remove)
        self.undo.clicked.connect(self._undo)
        self.redo.clicked.connect(self._redo)

    def take(self, result: Result) -> None:
        """A new frame was seen."""
        if self.lesson is not None:
            self._is_missing = not self.lesson.take(result.tracks, self._clock(), result.t)

    def tick(self) -> None:
        """Show how far the lesson is; at its end learn."""
        if self.lesson is None:
            return
        phase, share = self.lesson.phase(self._clock())
        if phase == "done":
            self._finish(self.lesson)
            return
        name = self.lesson.gesture.name
        word = {
            "get ready": f"Get ready: {name}",
            "show it": f"Show {name}",
            "anything else next": "Next: anything else",
            "show anything else": "Show anything else",
        }[phase]
        self.ring.show_share(share, word, self._is_missing)
        missing = " No hand is seen: come nearer." if self._is_missing else ""
        if phase in ("get ready", "show it"):
            how = "Turn and move the hand a little."
            if self.lesson.gesture.is_motion:
                how = "Make it again and again, with a short rest before each time."
            words = f"{how} {self.lesson.progress}{missing}"
        else:
            words = f"Move your hands as you do otherwise: every other gesture, rest.{missing}"
        self._say(words)

    def _start_or_stop(self) -> None:
        if self.lesson is not None:
            self.lesson = None
            self.ring.show_share(0.0, "")
            self._say("Stopped; nothing was kept of it.")
        elif self.start.isEnabled():
            try:
                name = checked_name(self.name.text().strip())
                hands = self.hands.currentData()
                is_motion = self.kind.currentData()
                any_turn = self.any_turn.isChecked() and not is_motion
                gesture = begun(self.own, Gesture(name, hands, any_turn, is_motion))
            except (UserError, ValueError) as error:
                self._say(str(error))
                return
            self.lesson = Lesson(replace(gesture, takes=(), others=()), self._clock())
            self._timer.start(TICK_MS)
        self._show_state()

    def _skip(self) -> None:
        if self.lesson is not None:
            self.lesson.skip(self._clock())
            self.tick()

    def _finish(self, lesson: Lesson) -> None:
        self.lesson = None
        self._timer.stop()
        self.ring.show_share(0.0 if lesson.problem else 1.0, "")
        if lesson.problem:
            self._say(lesson.problem)
            self._show_state()
            return
        self.name.setText(lesson.gesture.name)
        camera = self._controls.choices.camera
        self._change(lambda own: lesson.added_to(own, camera))

    def _remove(self) -> None:
        name = self._chosen
        self._change(lambda own: removed(own, name))

    def _undo(self) -> None:
        self._change(undo, lambda own: _said("Taken back", own.done))

    def _redo(self) -> None:
        self._change(redo, lambda own: _said("Done again", own.undone))

    def _change(
        self, change: Callable[[Own], Own] | None, words: Callable[[Own], str] = lambda own: ""
    ) -> None:
        """Change what the file holds now, learn, and use it; the window does not wait for it.

        It is read again: another window or command may have taught a gesture meanwhile. `words` of
        what it held come before what is told of the gesture then.
        """
        if self.is_learning:
            return
        self.is_learning = True
        self._focused = self.focusWidget()  # which loses it while nothing can be pressed
        self._say("Learning...")
        self._show_state()
        file = self.file

        def work() -> tuple[str, Own, Recogniser | None]:
            own = read_own(file)
            said = words(own)
            if change is not None:
                own = change(own)
                write_own(file, own)
            return said, own, recogniser_of(file)

        def learnt(found: tuple[str, Own, Recogniser | None]) -> None:
            said, own, recogniser = found
            self._learnt(own, recogniser, change is not None)
            self._say("\n".join(filter(None, (said, self.words.text()))))
            self._focus_again()

        def failed(reason: str) -> None:
            self.is_learning = False
            self._say(reason)
            self._show_state()
            self._focus_again()

        self._controls.jobs.start(work, learnt, failed)

    def _focus_again(self) -> None:
        """Where it was: arrow keys go on moving the slider, Space goes on undoing."""
        if self._focused is not None and self._focused.isEnabled():
            self._focused.setFocus()

    def _learnt(self, own: Own, recogniser: Recogniser | None, is_new: bool) -> None:
        self.own, self._recogniser = own, recogniser or Recogniser()
        self.is_learning = False
        chosen = self.name.text().strip()
        self.list.blockSignals(True)
        self.list.clear()
        names = tuple(gesture.name for gesture in self._recogniser.every)
        self.list.addItems(names)
        self.list.setCurrentRow(names.index(chosen) if chosen in names else len(names) - 1)
        self.list.blockSignals(False)
        self.ring.show_share(0.0, "")
        if is_new:
            self._controls.use_gestures()
        if names:
            self._choose(self._chosen)
        else:
            self._say("Name it and press Start: show it for ten seconds, then anything else.")
        self._show_state()

    @property
    def _chosen(self) -> str:
        item = self.list.currentItem()
        return "" if item is None else item.text()

    def _choose(self, name: str) -> None:
        """Another gesture of the list."""
        known = {gesture.name: gesture for gesture in self.own.gestures}
        if name in known and name in [g.name for g in self._recogniser.every]:
            gesture = known[name]
            self.name.setText(name)
            self.hands.setCurrentIndex(self.hands.findData(gesture.hands))
            self.any_turn.setChecked(gesture.any_turn)
            self.kind.setCurrentIndex(self.kind.findData(gesture.is_motion))
            self.slider.blockSignals(True)
            self.slider.setValue(round(gesture.strictness * STEPS))
            self.slider.blockSignals(False)
            self._say("\n".join(map(capital, told(self._recogniser, name))))
        self._show_state()

    def _set_strictness(self) -> None:
        name, value = self._chosen, self.slider.value() / STEPS
        if name:
            self._change(lambda own: with_strictness(own, name, value))

    def _set_hands(self) -> None:
        """Of one that is there it counts at once; of a new one when it is shown."""
        name = self._chosen
        if not name or name != self.name.text().strip():
            return
        try:
            hands, any_turn = self.hands.currentData(), self.any_turn.isChecked()
            with_hands(self.own, name, hands, any_turn)
            self._change(lambda own: with_hands(own, name, hands, any_turn))
        except UserError as error:
            self._choose(name)
            self._say(str(error))

    def _show_state(self) -> None:
        is_free = self.lesson is None and not self.is_learning
        known = self.name.text().strip() in self.own.names
        self.start.setText("More samples" if known else "Start")
        if self.lesson is not None:
            self.start.setText("Stop")
        self.start.setEnabled(not (self.is_learning or self._is_unreadable))
        self.skip.setEnabled(self.lesson is not None)
        always: list[QWidget] = [self.name, self.kind, self.hands, self.any_turn, self.list]
        of_one: list[QWidget] = [self.remove, self.slider]
        self.heading.setText("Your gestures:" if self.list.count() else "Your gestures: none yet")
        for part in always:
            part.setEnabled(is_free)
        self._fit_to_motions(self.kind.currentData())
        for part in of_one:
            part.setEnabled(is_free and bool(self._chosen))
        for button, actions in ((self.undo, self.own.done), (self.redo, self.own.undone)):
            button.setEnabled(is_free and bool(actions))
            button.setToolTip(capital(words_of(actions[-1])) if actions else "")

    def _fit_to_motions(self, is_motion: bool) -> None:
        """A motion is made by one hand, and at the turn that is shown."""
        if is_motion:
            self.any_turn.setEnabled(False)
            if self.hands.currentData() == "both":
                self.hands.setCurrentIndex(self.hands.findData("either"))
        rows = self.hands.model()
        assert isinstance(rows, QStandardItemModel)
        both = rows.item(self.hands.findData("both"))
        assert both is not None
        both.setEnabled(not is_motion)

    def _say(self, words: str) -> None:
        """The window grows with many words, or they would lie over the ring, cut off."""
        self.words.setText("\n".join(map(capital, words.split("\n"))))
        layout = self.layout()
        assert layout is not None
        needed = layout.totalHeightForWidth(self.width())
        if self.height() < needed:
            self.resize(self.width(), needed)

    def reject(self) -> None:
        """Esc and the cross: a lesson ends with it."""
        if self.lesson is not None:
            self._start_or_stop()
        super().reject()


def _said(what: str, actions: Sequence[Mapping[str, Any]]) -> str:
    """What is done with the last of these, where there is one."""
    return f"{what}: {words_of(actions[-1])}." if actions else ""


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    for button in buttons:
        button.setAutoDefault(False)
        row.addWidget(button)
    return row
