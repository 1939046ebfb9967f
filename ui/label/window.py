"""The labeller's window. It pulls: a timer asks for frames and guesses; nothing waits for it.

Reads top to bottom: building, the tick, what the actions do, keys, the end; then what each action
of the table does, and which keys are held.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import QEvent, QPoint, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QLabel, QMainWindow, QMenu, QSplitter, QVBoxLayout, QWidget

from tracker.errors import UserError
from tracker.outputs.skeleton import skeleton
from train.project.labels import Labels, Range
from ui.kit.actions import HelpDialog, fill_menus, make_actions, make_toolbar, paint_icons
from ui.kit.jobs import Jobs
from ui.kit.status_bar import StatusBar
from ui.kit.turn_watch import TurnWatch
from ui.kit.words import capital
from ui.label import words as show
from ui.label.actions_table import ENTRIES, HELP, NUDGES
from ui.label.boxes import Boxes
from ui.label.canvas import Canvas
from ui.label.controls import Chosen, LabelControls
from ui.label.guesses import Guesses, Suggestions
from ui.label.paint import Scene
from ui.label.panel import LabelPanel, progress
from ui.label.points import Points
from ui.label.spans import NOTHING, Spans
from ui.label.threads.spreading import Spreading
from ui.label.threads.workers import DecodedFrame
from ui.label.timeline import TimelineView
from ui.label.training import Training
from ui.label.words import Looks

TICK_MS = 8
RELOAD_S = 2.0  # between two looks of a reader at what the writer did
# What Shift makes of 1, 2 ... 9, 0 on a US keyboard, where nothing better is known.
SHIFTED = "!@#$%^&*("
FIRST_CODE = {"xcb": 10, "wayland": 10, "windows": 2}  # of the key 1; then 2 ... 9, 0


class LabelWindow(QMainWindow):
    """Shows what the controls holds and hands it what the person does."""

    ended = pyqtSignal()

    def __init__(self, controls: LabelControls) -> None:
        """Asks for the first frame at once."""
        super().__init__()
        self.controls, self.jobs, self.turns = controls, Jobs(), TurnWatch()
        self.points, self.boxes = Points(controls), Boxes(controls)
        self.spans, self.guesses = Spans(controls), Guesses(controls)
        self.suggestions = Suggestions(controls, self.jobs)
        self.spreading = Spreading(controls, self.jobs)
        self.looks = Looks()
        project = controls.project
        self._look = skeleton(project.kind, len(project.landmarks), project.edges, project.drawing)
        self._seen: DecodedFrame | None = None
        self._labels: Labels | None = None
        self._version, self._message = -1, ""
        self._reloaded_at = 0.0
        self._help: HelpDialog | None = None
        self._may_close = False
        self._build()
        self.suggestions.open_with()
        controls.say(show.greeting(controls))
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)

    def _build(self) -> None:
        project = self.controls.project
        self.canvas = Canvas(Scene(self._look, project.landmarks))
        self.timeline, self.numbers = TimelineView(), QLabel()
        clips = self.controls.screen.clips
        self.panel = LabelPanel(clips, project.landmarks, self._look, self.spans.kinds())
        self.training = Training(self.controls, self.jobs, time.time)
        self.training.finished = lambda: self.guesses.choose(self.guesses.by)
        self.numbers.setContentsMargins(6, 0, 6, 2)
        self.numbers.setWordWrap(True)
        self.numbers.setTextFormat(Qt.TextFormat.PlainText)  # a project may be somebody else's
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.timeline)
        column.addWidget(self.numbers)
        self.main = QSplitter(Qt.Orientation.Horizontal)
        for part in (self.panel, middle, self.training):
            self.main.addWidget(part)
        self.main.setStretchFactor(1, 1)
        self.main.setChildrenCollapsible(False)
        self.main.setSizes([290, 800, 320])
        self.training.setVisible(False)
        self.setCentralWidget(self.main)
        self.place = QLabel()
        bar = StatusBar()
        self.setStatusBar(bar)
        bar.addPermanentWidget(self.place)
        self.acts = make_actions(self, ENTRIES, handlers(self))
        self.addToolBar(make_toolbar(self, ENTRIES, self.acts))
        fill_menus(self, ENTRIES, self.acts)
        paint_icons(ENTRIES, self.acts, self.palette())
        self._connect()
        screen = self.screen()
        assert screen is not None
        room = screen.availableSize()
        self.resize(min(1280, 95 * room.width() // 100), min(820, 88 * room.height() // 100))
        self.canvas.setFocus()

    def _connect(self) -> None:
        controls, canvas, line = self.controls, self.canvas, self.timeline
        canvas.picked.connect(self._pick)
        canvas.dragged.connect(self.points.drag)
        canvas.shoved.connect(self.points.shove)
        canvas.cycled.connect(self.points.cycle)
        canvas.clicked.connect(self.points.click)
        canvas.resized.connect(self.boxes.resize)
        canvas.drawn.connect(self.boxes.draw)
        line.sought.connect(lambda t: controls.screen.go(controls.screen.at(t)))
        line.chosen.connect(self.spans.choose)
        line.resized.connect(self.spans.resize)
        line.asked.connect(self._ask_class)
        self.panel.clip_chosen.connect(lambda name: controls.screen.visit((name, 0)))
        self.panel.landmark_chosen.connect(lambda i: controls.choose(controls.chosen, i))
        self.panel.opacity_changed.connect(lambda v: self.set_looks(opacity=v))
        self.panel.guess_by_changed.connect(self.guesses.choose)
        for keys, (dx, dy) in NUDGES.items():
            nudge = QShortcut(QKeySequence(keys), self)
            nudge.activated.connect(lambda dx=dx, dy=dy: self.points.nudge(dx, dy))

    # The tick

    def tick(self) -> None:
        """Everything that happens by itself."""
        self.turns.tick()
        self.jobs.poll()
        self.controls.tick()
        self.guesses.tick()
        self.spreading.tick()
        self.suggestions.tick()
        now = time.monotonic()
        self.training.tick(now)
        self.spans.tick(now)
        if self.controls.store.read_only and now - self._reloaded_at > RELOAD_S:
            self._reloaded_at = now
            if self.controls.store.reload():
                self.controls.say("the other window has changed something")
        if self.controls.version != self._version:
            self._version = self.controls.version
            self._show()
        place = show.frame_words(self.controls, self.canvas.view.scale)
        if place != self.place.text():
            self.place.setText(place)

    def _show(self) -> None:
        controls = self.controls
        if controls.screen.seen is not self._seen:
            self._seen = controls.screen.seen
            self.canvas.set_picture(None if self._seen is None else self._seen.frame.bgr)
        self.canvas.is_placing = (
            controls.landmark is not None and self.points.target() is not None
            and not controls.store.read_only and not controls.screen.is_playing
        )  # fmt: skip
        self.canvas.is_drawing = self.boxes.is_drawing
        self.canvas.set_scene(show.scene(controls, self.spans, self._look, self.looks))
        self.timeline.show_line(show.line(controls, self.spans, self.suggestions))
        if controls.store.labels is not self._labels:
            self._labels = controls.store.labels
            self._rows = progress(controls.screen.clips, self._labels, self.spans.kinds())
        self.panel.show_progress(self._rows, controls.screen.clip.name)
        words = show.object_words(controls, self.points)
        self.panel.show_object(controls.thing(), words, controls.landmark)
        self.numbers.setText(show.numbers_words(self.spans))
        self.numbers.setVisible(bool(self.spans.kinds()))
        self.setWindowTitle(show.title(controls, controls.project.root))
        self._show_actions()
        if controls.message != self._message:
            self._message = controls.message
            bar = self.statusBar()
            assert bar is not None
            bar.showMessage(capital(controls.message))
            bar.setToolTip(capital(controls.message))  # whole, where there is no room for it

    def _show_actions(self) -> None:
        store, looks = self.controls.store, self.looks
        self.acts["undo"].setEnabled(store.can_undo)
        self.acts["redo"].setEnabled(store.can_redo)
        self.acts["play"].setChecked(self.controls.screen.is_playing)
        for name, on in (("names", looks.names), ("edges", looks.edges), ("boxes", looks.boxes),
                         ("guesses", looks.guesses), ("hide", looks.hidden)):  # fmt: skip
            self.acts[name].setChecked(on)

    # What the actions do

    def set_looks(self, **changes: object) -> None:
        """Draw points in another way."""
        self.looks = replace(self.looks, **changes)  # type: ignore[arg-type]
        self.controls.show_guesses(self.looks.guesses)
        self.panel.show_opacity(self.looks.opacity)
        self.controls.changed()

    def show_help(self) -> None:
        """The list of keys."""
        self._help = self._help or HelpDialog(self, HELP, columns=3)
        self._help.show()

    def _pick(self, chosen: Chosen, landmark: int | None) -> None:
        """An object is chosen now, and no range."""
        self.spans.choose(None)
        self.controls.choose(chosen, landmark)

    def next_object(self) -> None:
        """The same by a key."""
        self.spans.choose(None)
        self.controls.next_object()

    def delete(self) -> None:
        """The range that is chosen on the timeline, else the chosen object."""
        if self.spans.chosen is not None:
            self.spans.delete()
        else:
            self.points.delete()

    def _ask_class(self, old: Range, at: QPoint) -> None:
        """The menu of a range's classes."""
        menu = QMenu(self)
        for label in self.spans.classes(old.kind):
            if label != NOTHING:
                act = menu.addAction(label)
                assert act is not None
                act.setCheckable(True)
                act.setChecked(label == old.label)
                act.triggered.connect(lambda _, label=label: self.spans.relabel(old, label))
        menu.addSeparator()
        remove = menu.addAction("Remove")
        assert remove is not None
        remove.triggered.connect(lambda: self.spans.delete(old))
        menu.popup(at)

    # Keys that are held

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Numbers label while they are down; Space moves the picture, or leads on."""
        assert event is not None
        digit = digit_of(event)
        if event.isAutoRepeat():
            return
        if digit is not None and is_plain(event):
            self.spans.press(digit, with_shift(event))
        elif event.key() == Qt.Key.Key_Space and is_plain(event):
            self.canvas.pan_with_space(True)
        elif event.key() == Qt.Key.Key_Escape:
            self.boxes.stop()
            self.suggestions.stop()
            self.spans.choose(None)
            self.controls.choose(self.controls.chosen, None)
            self.canvas.setFocus()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        """The end of what was held."""
        assert event is not None
        if event.isAutoRepeat():
            return
        digit = digit_of(event)
        if digit is not None:
            self.spans.release(digit, time.monotonic())
        elif event.key() == Qt.Key.Key_Space and self.canvas.is_panning:
            moved = self.canvas.has_panned
            self.canvas.pan_with_space(False)
            if not moved:
                self.suggestions.next()
        else:
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:
        """Keys that are down when the window goes to the back count as released."""
        super().changeEvent(event)
        if event is None:
            return
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            if self.spans.held is not None:
                self.spans.release(self.spans.held.digit, time.monotonic())
            self.canvas.pan_with_space(False)
        elif event.type() == QEvent.Type.PaletteChange:
            paint_icons(ENTRIES, self.acts, self.palette())
            self.training.set_palette(self.palette())

    # The end

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Save; where the disk refuses, say so and close when asked again."""
        assert event is not None
        self.spans.finish()
        try:
            self.controls.store.close()
        except UserError as error:
            if not self._may_close:
                self._may_close = True
                self.controls.say(
                    f"not saved: {error}. Every action is in the journal; close again"
                )
                event.ignore()
                return
        self._timer.stop()
        self.suggestions.close()
        self.spreading.close()
        self.guesses.close()
        self.controls.screen.close()
        self.jobs.close()
        event.accept()
        self.ended.emit()


def handlers(window: LabelWindow) -> dict[str, Callable[[bool], object]]:
    """One function an action; it gets whether a switch is on."""
    controls, screen, canvas = window.controls, window.controls.screen, window.canvas
    points, boxes, spreading = window.points, window.boxes, window.spreading
    return {
        "save": lambda _: controls.save(), "quit": lambda _: window.close(),
        "training": window.training.setVisible,
        "undo": lambda _: controls.undo(), "redo": lambda _: controls.undo(again=True),
        "copy": lambda _: points.copy(), "paste": lambda _: points.paste(),
        "delete": lambda _: window.delete(), "unlabel": lambda _: controls.unlabel(),
        "play": lambda _: screen.play(), "suggested": lambda _: window.suggestions.next(),
        "next": lambda _: screen.go(screen.frame + 1),
        "previous": lambda _: screen.go(screen.frame - 1),
        "next4": lambda _: screen.go(screen.frame + 4),
        "previous4": lambda _: screen.go(screen.frame - 4),
        "next100": lambda _: screen.go(screen.frame + 100),
        "previous100": lambda _: screen.go(screen.frame - 100),
        "first": lambda _: screen.go(0), "last": lambda _: screen.go(len(screen.times()) - 1),
        "next_labelled": lambda _: controls.next_labelled(True),
        "previous_labelled": lambda _: controls.next_labelled(False),
        "next_clip": lambda _: screen.next_clip(1),
        "previous_clip": lambda _: screen.next_clip(-1),
        "accept": lambda _: controls.accept(), "add": lambda _: points.begin(),
        "copy_previous": lambda _: points.copy_previous(),
        "nothing": lambda _: controls.nothing_here(),
        "next_object": lambda _: window.next_object(),
        "next_landmark": lambda _: controls.next_landmark(1),
        "previous_landmark": lambda _: controls.next_landmark(-1),
        "box": lambda _: boxes.begin(), "new_box": lambda _: boxes.begin(True),
        "box_of_points": lambda _: boxes.of_points(),
        "guess_in_box": lambda _: window.guesses.in_box(),
        "spread": lambda _: spreading.start(), "spread_all": lambda _: spreading.start(True),
        "next_proposal": lambda _: spreading.next(),
        "accept_stretch": lambda _: spreading.accept(False),
        "accept_clip": lambda _: spreading.accept(True),
        "refuse_stretch": lambda _: spreading.refuse(False),
        "refuse_clip": lambda _: spreading.refuse(True),
        "cycle": lambda _: points.cycle(), "mode": lambda _: window.spans.switch(),
        "fit": lambda _: canvas.fit(),
        "object_view": lambda _: canvas.look_at(controls.thing()),
        "bigger": lambda _: canvas.zoom(1.25), "smaller": lambda _: canvas.zoom(0.8),
        "names": lambda on: window.set_looks(names=on),
        "edges": lambda on: window.set_looks(edges=on),
        "boxes": lambda on: window.set_looks(boxes=on),
        "guesses": lambda on: window.set_looks(guesses=on),
        "hide": lambda on: window.set_looks(hidden=on),
        "clearer": lambda _: window.set_looks(opacity=max(window.looks.opacity - 0.1, 0.1)),
        "fuller": lambda _: window.set_looks(opacity=min(window.looks.opacity + 0.1, 1.0)),
        "help": lambda _: window.show_help(),
    }  # fmt: skip


def digit_of(event: QKeyEvent) -> int | None:
    """Which number key it is, with or without Shift, on the top row or the keypad; None: none."""
    first = FIRST_CODE.get(QGuiApplication.platformName())
    code = event.nativeScanCode()
    if first is not None and first <= code < first + 10:
        return (code - first + 1) % 10
    key = event.key()
    if Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
        return int(key - Qt.Key.Key_0)
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        if key == Qt.Key.Key_ParenRight:
            return 0
        text = chr(key) if key < 128 else ""
        return SHIFTED.index(text) + 1 if text and text in SHIFTED else None
    return None


def with_shift(event: QKeyEvent) -> bool:
    """Is Shift down?"""
    return bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)


def is_plain(event: QKeyEvent) -> bool:
    """Neither Ctrl nor Alt nor Meta is down."""
    others = (
        Qt.KeyboardModifier.ControlModifier
        | Qt.KeyboardModifier.AltModifier
        | Qt.KeyboardModifier.MetaModifier
    )
    return not event.modifiers() & others
