"""The panel of actions: what may fire, how near it is, what fired; switches for all of it."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from tracker.actions.actions import ActionsState
from tracker.actions.profile import shipped
from tracker.actions.rules import Row
from ui.kit.words import capital
from ui.live.panels.widgets import ASK, Page, wrapped

EDGE = 110  # opacity of 255: a bar at 0 is to be seen on dark and on light
NEAR, FIRED, WAITS = QColor("#3b82f6"), QColor("#2fa84f"), QColor("#8b8b93")
STATES = {
    "idle": "no picture yet", "off": "asleep", "locked": "let go first", "ready": "",
    "holding": "holding", "fired": "fired", "slide": "",
}  # fmt: skip
LAST = 5  # fired ones that are listed
NO_PROFILE = (
    "No profile is in use. A profile says what gestures do on this computer: choose one above; "
    "Test shows what would fire, and does nothing. G teaches gestures of your own."
)


class Level(QWidget):
    """A bar: its length is the level; what has been held of the hold time is in full colour."""

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self._row: Row | None = None
        self.setMinimumSize(56, 12)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_row(self, row: Row) -> None:
        """Paint this one from now on."""
        if row != self._row:
            self._row = row
            self.setAccessibleName(f"{row.name}: level {row.level:.0%}")
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        box = self.rect().adjusted(0, 1, -1, -2)
        edge = self.palette().color(QPalette.ColorRole.WindowText)
        edge.setAlpha(EDGE)
        painter.setPen(edge)
        painter.drawRect(box)
        row = self._row
        if row is not None:
            colour = FIRED if row.state == "fired" else WAITS if row.state == "off" else NEAR
            faint = QColor(colour)
            faint.setAlpha(110)
            inside = box.adjusted(1, 1, 0, 0)
            for share, brush in ((row.level, faint), (row.progress, colour)):
                part = inside.adjusted(0, 0, round(inside.width() * (share - 1)), 0)
                painter.fillRect(part, brush)
        painter.end()


class ActionsPanel(QWidget):
    """Shows a state and tells which switch was changed; it decides nothing itself."""

    changed = pyqtSignal(str, object)  # name of a field of Choices, its new value
    ask_file = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """`show_choices` and `show_state` fill it in."""
        super().__init__(parent)
        self._lines: list[tuple[QLabel, Level, QLabel, QLabel]] = []
        self._profile = QComboBox()
        self._profile.setAccessibleName("Profile of actions")
        self._profile.setToolTip("What does what: a profile, see docs/actions.md")
        self._profile.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._profile.setMinimumContentsLength(10)
        self._profile.activated.connect(lambda _: self._chosen())
        self._on = self._switch("actions_on", "On", "Do what the profile says")
        self._test = self._switch("actions_test", "Test", "Show what would fire, and do nothing")
        top = QHBoxLayout()
        top.addWidget(self._profile, 1)
        top.addWidget(self._on)
        top.addWidget(self._test)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._counts, self._fired, self._problems = wrapped(), wrapped(), wrapped()
        self._problems.setAccessibleName("Problems of actions")
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(top)
        layout.addLayout(self._grid)
        for text in (self._counts, self._fired, self._problems):
            layout.addWidget(text)
        layout.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(Page(inside))

    def show_choices(self, profile: str, on: bool, test: bool) -> None:
        """Fill in what is chosen, without telling that anything changed."""
        self._profile.clear()
        self._profile.addItem("no profile", "")
        for name, path in shipped().items():
            self._profile.addItem(f"{name} (shipped)", str(path))
        if profile and self._profile.findData(profile) < 0:
            self._profile.addItem(Path(profile).name, profile)
        self._profile.addItem("Choose a file...", ASK)
        self._profile.setCurrentIndex(max(self._profile.findData(profile), 0))
        for box, value in ((self._on, on), (self._test, test)):
            with QSignalBlocker(box):
                box.setChecked(value)
            box.setEnabled(bool(profile))

    def show_state(self, state: ActionsState | None) -> None:
        """Levels, counts, and what is wrong."""
        rows = () if state is None else state.rows
        self._make_lines(len(rows))
        for row, (name, level, is_so, fired) in zip(rows, self._lines, strict=True):
            name.setText(row.name)
            name.setToolTip(f"{row.when}: {row.run}")
            level.show_row(row)
            level.setToolTip(row.when)
            is_so.setText(row.note or _value(row) or STATES[row.state])
            fired.setText(str(row.fired) if row.fired else "")
        self._counts.setText(NO_PROFILE if state is None else counts(state))
        self._fired.setText("" if state is None else _last(state))
        problems = () if state is None else state.problems
        self._problems.setText("\n".join(capital(problem) for problem in problems))

    def _make_lines(self, count: int) -> None:
        """One line a rule; made anew only when their number changes."""
        while len(self._lines) > count:
            for old in self._lines.pop():
                self._grid.removeWidget(old)
                old.deleteLater()
        while len(self._lines) < count:
            line = QLabel(), Level(), QLabel(), QLabel()
            line[2].setMinimumWidth(line[2].fontMetrics().horizontalAdvance("let go first"))
            line[3].setAlignment(Qt.AlignmentFlag.AlignRight)
            for column, widget in enumerate(line):
                if isinstance(widget, QLabel):
                    widget.setTextFormat(Qt.TextFormat.PlainText)
                self._grid.addWidget(widget, len(self._lines), column)
            self._lines.append(line)

    def _chosen(self) -> None:
        value = self._profile.currentData()
        if value == ASK:
            self.ask_file.emit("actions")
        else:
            self.changed.emit("actions", value)

    def _switch(self, name: str, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setToolTip(tip)
        box.setAccessibleDescription(tip)
        box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        box.toggled.connect(lambda on: self.changed.emit(name, on))
        return box


def counts(state: ActionsState) -> str:
    """How much fired, in a test how often that is, and the key that switches everywhere."""
    key = f"\n{state.pause} switches, in every program." if state.pause else ""
    return _how_many(state) + key


def _how_many(state: ActionsState) -> str:
    if not state.on:
        return "Switched off: nothing fires."
    minutes = state.seconds / 60
    words = f"{state.count} fired in {minutes:.1f} minutes"
    asleep = "" if state.enabled else f"\nAsleep: {state.wake} wakes it."
    if not state.test:
        return f"{words}{asleep}"
    rate = state.per_hour
    if rate is None:
        return f"Test, nothing is done: {words}{asleep}"
    return (
        f"Test, nothing is done: {words}. Where nothing should have fired, these are "
        f"{rate:.0f} false triggers an hour.{asleep}"
    )


def _last(state: ActionsState) -> str:
    now = [f"{fired.after:.1f} s  {fired.name}: {fired.run}" for fired in state.fired[-LAST:]]
    return "\n".join(reversed(now))


def _value(row: Row) -> str:
    return "" if row.value is None else f"{row.value:.2f}"
