"""What each face expresses, as bars: a readable choice of the 52, or all; and its face at rest."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRectF, QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tracker.find.expressions import STEMS, by_name
from tracker.follow.neutral_files import USUAL, file_of, people
from tracker.types import Track
from ui.live.panels.widgets import Page, tell, wrapped

# Shown unless all are asked for; those of a pair by what both have in common.
CHOSEN = (
    "browInnerUp", "browOuterUp", "browDown", "eyeWide", "eyeSquint", "eyeBlink", "noseSneer",
    "cheekPuff", "jawOpen", "mouthSmile", "mouthFrown", "mouthStretch", "mouthFunnel",
    "mouthPucker",
)  # fmt: skip
ROW, GAP = 18, 6  # pixels
COLOUR = QColor("#3b82f6")
NOTHING = "No face is seen."
OF_ANOTHER = "Captured with another face model: N captures it anew."
NO_EXPRESSIONS = "The face model in use tells no expressions."


def rows(every: bool) -> tuple[str, ...]:
    """The rows of a face, in the order of the list; a pair is one row."""
    return tuple(stem for stem in STEMS if every or stem in CHOSEN)


def values(seen: dict[str, float], row: str) -> tuple[float, float]:
    """Of a row, the person's own right side and left side; the same where it has no sides."""
    if row in seen:
        return seen[row], seen[row]
    return seen[f"{row}Right"], seen[f"{row}Left"]


class Bars(QWidget):
    """The bars of all faces, one below the other."""

    def __init__(self) -> None:
        """Empty."""
        super().__init__()
        self.every = False
        self._faces: list[tuple[str, dict[str, float]]] = []
        self._words = NOTHING
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Bars of the expressions of each face")

    def show_faces(self, tracks: Sequence[Track]) -> None:
        """Of these tracks, those of faces with expressions."""
        found = [t for t in tracks if t.kind == "face" and t.expressions is not None]
        faces = [(_heading(t), by_name(t.expressions)) for t in found if t.expressions is not None]
        is_new_size = len(faces) != len(self._faces)
        is_face = any(t.kind == "face" for t in tracks)
        self._faces, self._words = faces, NO_EXPRESSIONS if is_face else NOTHING
        if is_new_size:
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """All rows of all faces."""
        faces = max(len(self._faces), 1)
        return QSize(200, faces * (ROW * (len(rows(self.every)) + 1) + GAP))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        if not self._faces:
            painter.drawText(self.rect(), 0, self._words)
        top = 0
        for heading, seen in self._faces:
            top = self._paint_face(painter, top, heading, seen) + GAP
        painter.end()

    def _paint_face(self, painter: QPainter, top: int, heading: str, seen: dict[str, float]) -> int:
        """Names on the left, bars on the right; the top of what comes below."""
        width, ink = self.width(), self.palette().windowText().color()
        start = min(130, width // 2)
        painter.setPen(ink)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, top, width, ROW), left, heading)
        top += ROW
        room = self.palette().mid().color()
        for row in rows(self.every):
            painter.setPen(ink)
            painter.drawText(QRectF(0, top, start, ROW), left, row)
            sides = values(seen, row)
            parts = sides if row not in seen else sides[:1]
            each = (width - start - (len(parts) - 1) * 4) / len(parts)
            for i, value in enumerate(parts):
                at = QRectF(start + i * (each + 4), top + 4, each, ROW - 8)
                painter.fillRect(at, room)
                at.setWidth(each * min(max(value, 0.0), 1.0))
                painter.fillRect(at, COLOUR)
            top += ROW
        return top


def _heading(track: Track) -> str:
    words = f"Face #{track.id}"
    if track.at_rest is not None:
        words += f", less {track.at_rest:.0%} of its face at rest"
    return words


class FacePanel(QWidget):
    """Shows bars and the choice of a face at rest; it decides nothing itself."""

    changed = pyqtSignal(str, object)  # name of a field of Choices, its new value

    def __init__(self) -> None:
        """`show_choices` fills it in."""
        super().__init__()
        self._state, self._is_captured = "", False
        self.bars = Bars()
        self.people = QComboBox()
        self.people.setEditable(True)
        self.people.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        tell(self.people, "Whose face at rest is subtracted; type a name for somebody new")
        self.people.activated.connect(lambda _: self._chosen())
        edit = self.people.lineEdit()
        assert edit is not None
        edit.setAccessibleName("Whose face at rest")
        edit.returnPressed.connect(self._chosen)
        self.every = QCheckBox("All 52")
        tell(self.every, "Show every expression that the model tells")
        self.every.toggled.connect(lambda on: self.changed.emit("every_expression", on))
        self.state = wrapped()
        self._row = QHBoxLayout()
        self._row.addWidget(self.people, 1)
        group = QGroupBox("Face at rest of")
        inside = QVBoxLayout(group)
        inside.addLayout(self._row)
        inside.addWidget(self.state)
        head = QHBoxLayout()
        head.addWidget(QLabel("The person's own right | left"))
        head.addStretch(1)
        head.addWidget(self.every)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(group)
        layout.addLayout(head)
        layout.addWidget(Page(self.bars), 1)

    def add_button(self, action: QAction) -> None:
        """What captures a face at rest."""
        button = QToolButton()
        button.setDefaultAction(action)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._row.addWidget(button)

    def show_choices(self, neutral: str, every: bool) -> None:
        """Fill in what is chosen, without telling that anything changed."""
        with QSignalBlocker(self.every):
            self.every.setChecked(every)
        if every != self.bars.every:
            self.bars.every = every
            self.bars.updateGeometry()
        known = people()
        names = ["", *(name for name in known if name != USUAL), "none"]
        if neutral not in names:
            names.insert(-1, neutral)
        with QSignalBlocker(self.people):
            self.people.clear()
            for name in names:
                self.people.addItem({"": USUAL, "none": "nobody"}.get(name, name), name)
            self.people.setCurrentIndex(names.index(neutral))
        self._is_captured = neutral != "none" and file_of(neutral or USUAL).is_file()
        self._state = _state(neutral, self._is_captured)
        self.state.setText(self._state)

    def show_faces(self, tracks: Sequence[Track]) -> None:
        """What is seen now."""
        self.bars.show_faces(tracks)
        told = [track for track in tracks if track.expressions is not None]
        is_others = bool(told) and all(track.at_rest is None for track in told)
        self.state.setText(OF_ANOTHER if self._is_captured and is_others else self._state)

    def _chosen(self) -> None:
        text = self.people.currentText().strip()
        at = self.people.findText(text)
        name = text if at < 0 else str(self.people.itemData(at))
        self.changed.emit("neutral", "" if name == USUAL else name)


def _state(neutral: str, is_captured: bool) -> str:
    """What is subtracted, in words."""
    if neutral == "none":
        return "Expressions are shown as they are seen."
    if is_captured:
        return "Subtracted from expressions. N captures it anew."
    return "Not captured yet: N, then five seconds at rest."
