"""The panel of what is sent: each target with its state, switches, a line to add one, the centre.

It is a plain widget: whoever shows it decides whether it is a dock or a tab.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import (
    QCheckBox,
    QCompleter,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ui.kit.colours import error_colour
from ui.kit.words import capital
from ui.live.panels.widgets import Page, wrapped
from ui.live.sending import SendRow

# What is offered while a target is typed.
OFFERED = (
    "ws://", "osc://", "vmc://", "opentrack://", "openseeface://", "vtubestudio://", "lsl:hands",
    "udp://127.0.0.1:5005", "points.jsonl", "points.csv", "camera:10",
)  # fmt: skip
STATES = {
    "off": "off", "waits": "waits for a picture", "sends": "sends", "silent": "no picture",
    "failed": "failed",
}  # fmt: skip


class SendLine(QFrame):
    """One target: a switch, a button that forgets it, and how it is doing."""

    def __init__(self, target: str) -> None:
        """`show_row` fills it in."""
        super().__init__()
        self.target = target
        self.box = QCheckBox()
        self.box.setToolTip(f"Send to {target}, or stop")
        self.box.setAccessibleName(f"Send to {target}")
        self.box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.forget = QToolButton()
        self.forget.setText("Remove")
        self.forget.setToolTip(f"Take {target} from the list; a file keeps what is in it")
        self.forget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.words = wrapped()
        self.words.setIndent(24)
        top = QHBoxLayout()
        top.addWidget(self.box, 1)
        top.addWidget(self.forget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addWidget(self.words)
        room = self.fontMetrics().elidedText(target, Qt.TextElideMode.ElideMiddle, 190)
        self.box.setText(room.replace("&", "&&"))

    def show_row(self, row: SendRow) -> None:
        """How it stands now."""
        with QSignalBlocker(self.box):
            self.box.setChecked(row.on)
        self.words.setText(words(row))
        self.words.setStyleSheet(_red(self) if row.state == "failed" else "")


class SendPanel(QWidget):
    """Shows targets and tells what was asked for; it decides nothing itself."""

    added = pyqtSignal(str)
    switched = pyqtSignal(str, bool)
    removed = pyqtSignal(str)
    recentred = pyqtSignal()
    as_seen = pyqtSignal()
    changed = pyqtSignal(str, object)  # name of a field of Choices, its new value

    def __init__(self) -> None:
        """Nothing is sent."""
        super().__init__()
        self._lines: list[SendLine] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._nothing = wrapped()
        self._nothing.setText("Nothing is sent. Results stay on this computer unless you say so.")
        self._problem = wrapped()
        self._problem.setAccessibleName("Why nothing was added")
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(6, 6, 6, 6)
        for part in (self._nothing, self._list, self._entry(), self._problem, *self._centre()):
            layout.addWidget(part) if isinstance(part, QWidget) else layout.addLayout(part)
        layout.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(Page(inside))

    def show_rows(self, rows: Sequence[SendRow]) -> None:
        """One line a target; made anew only when the list changes."""
        if [line.target for line in self._lines] != [row.target for row in rows]:
            self._make_lines([row.target for row in rows])
        for line, row in zip(self._lines, rows, strict=True):
            line.show_row(row)
        self._nothing.setVisible(not rows)

    def show_problem(self, sentence: str) -> None:
        """Why what was typed was not added; '' where it was, and then the line is empty."""
        self._problem.setStyleSheet(_red(self))
        self._problem.setText(capital(sentence))
        if not sentence:
            self.entry.clear()
            self._hide_offers()

    def _hide_offers(self) -> None:
        completer = self.entry.completer()
        offers = None if completer is None else completer.popup()
        if offers is not None:
            offers.hide()

    def show_choices(self, auto_centre: bool) -> None:
        """Fill in what is chosen, without telling that anything changed."""
        with QSignalBlocker(self.follow):
            self.follow.setChecked(auto_centre)

    def _make_lines(self, targets: Sequence[str]) -> None:
        for old in self._lines:
            self._list.removeWidget(old)
            old.deleteLater()
        self._lines = [SendLine(target) for target in targets]
        for line in self._lines:
            name = line.target
            line.box.toggled.connect(lambda on, name=name: self.switched.emit(name, on))
            line.forget.clicked.connect(lambda _, name=name: self.removed.emit(name))
            self._list.addWidget(line)

    def _entry(self) -> QHBoxLayout:
        self.entry = QLineEdit()
        self.entry.setPlaceholderText("ws://, osc://HOST:PORT, points.jsonl ...")
        self.entry.setAccessibleName("Send to")
        self.entry.setToolTip("Where to send results; 'tracker outputs' lists what there is")
        completer = QCompleter(OFFERED, self.entry)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.entry.setCompleter(completer)
        self.entry.returnPressed.connect(self._add)
        button = QPushButton("Add")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip("Send results there, from now on")
        button.clicked.connect(self._add)
        row = QHBoxLayout()
        row.addWidget(self.entry, 1)
        row.addWidget(button)
        return row

    def _add(self) -> None:
        if self.entry.text().strip():
            self.added.emit(self.entry.text().strip())

    def _centre(self) -> tuple[QLabel, QHBoxLayout, QCheckBox]:
        about = wrapped()
        about.setText("Straight ahead, for avatars and games:")
        row = QHBoxLayout()
        for text, tip, signal in (
            ("Recentre", "The way the head is held now is straight ahead (C)", self.recentred),
            ("As seen", "Straight ahead is into the camera again", self.as_seen),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal)
            row.addWidget(button)
        row.addStretch(1)
        self.follow = QCheckBox("Follow the head slowly")
        self.follow.setToolTip("Straight ahead drifts to where the head rests, within a minute")
        self.follow.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.follow.toggled.connect(lambda on: self.changed.emit("auto_centre", on))
        return about, row, self.follow


def _red(widget: QWidget) -> str:
    background = widget.palette().color(QPalette.ColorRole.Window)
    return f"color: {error_colour(background.name())}"


def words(row: SendRow) -> str:
    """How a target is doing: its state, who listens, frames a second, what was dropped."""
    facts = row.facts
    if row.state == "failed":
        return capital(facts.error or "it has ended; switch it off and on to begin again")
    if row.state not in ("sends", "silent"):
        return STATES[row.state]
    state = STATES["silent"] if row.state == "silent" else facts.heard or STATES["sends"]
    return f"{state}, {facts.fps:.0f} frames/s, {facts.dropped} dropped"
