"""The left side of the labeller: clips with their progress, landmarks of the object, the view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPixmap
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHeaderView,
    QLabel,
    QSlider,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tracker.outputs.skeleton import Skeleton
from train.project import ranges
from train.project.clips import Clip
from train.project.labels import Labels, ObjectLabel
from ui.label.edit import UNLABELLED, WORDS

GUESS_BY = (("model", "the current model"), ("mediapipe", "MediaPipe"), ("nothing", "nobody"))


@dataclass(frozen=True, slots=True)
class Row:
    """Progress of one clip: labelled frames, those with nothing on them, labelled seconds."""

    clip: str
    frames: int  # labelled by hand
    negative: int
    seconds: tuple[float, ...]  # one per kind
    spread: int = 0  # labelled frames whose labels were spread and accepted
    proposed: int = 0  # frames for which spreading proposes labels


def progress(clips: Sequence[Clip], labels: Labels, kinds: Sequence[str]) -> list[Row]:
    """How far each clip is."""
    rows = []
    for clip in clips:
        own = [label for key, label in labels.by_hand().items() if key[0] == clip.name]
        spread = sum(key[0] == clip.name and f.is_spread for key, f in labels.frames.items())
        proposed = len(labels.proposals_of(clip.name))
        spent = tuple(ranges.seconds(labels.ranges, clip.name, kind) for kind in kinds)
        negative = sum(label.negative for label in own)
        rows.append(Row(clip.name, len(own), negative, spent, spread, proposed))
    return rows


def facts(clip: Clip) -> str:
    """One line about a clip or a set of pictures."""
    if clip.is_stills:
        return f"{clip.name}: {clip.frames} pictures"
    w, h = clip.size_wh
    rate = f"{clip.fps:.2f} frames per second{' (varying)' if clip.variable else ''}"
    return f"{clip.name}: {clip.frames} frames, {rate}, {clip.seconds:.1f} s, {w} x {h}"


class LabelPanel(QSplitter):
    """Shows and tells; it decides nothing itself."""

    clip_chosen = pyqtSignal(str)
    landmark_chosen = pyqtSignal(int)
    opacity_changed = pyqtSignal(float)
    guess_by_changed = pyqtSignal(str)

    def __init__(
        self, clips: Sequence[Clip], names: Sequence[str], look: Skeleton, kinds: Sequence[str]
    ) -> None:
        """`kinds` of ranges that the project labels."""
        super().__init__(Qt.Orientation.Vertical)
        self._clips, self._kinds, self._rows = clips, kinds, list[Row]()
        titles = ["Clip", "Frames", *({"gesture": "Gestures", "pose": "Pose"}[k] for k in kinds)]
        self.clips = _tree(titles, "Clips and what is labelled of each")
        for clip in clips:
            item = QTreeWidgetItem([clip.name])
            item.setToolTip(0, facts(clip))
            self.clips.addTopLevelItem(item)
        self.clips.itemClicked.connect(lambda item: self.clip_chosen.emit(item.text(0)))
        self.points = _tree(["Landmark", "State"], "Landmarks of the chosen object")
        for i, name in enumerate(names):
            item = QTreeWidgetItem([f"{i}  {name}", ""])
            blue, green, red = look.points[i]
            item.setIcon(0, _patch(QColor(red, green, blue)))
            self.points.addTopLevelItem(item)
        self.points.itemClicked.connect(
            lambda item: self.landmark_chosen.emit(self.points.indexOfTopLevelItem(item))
        )
        self.object = QLabel("No object")
        self.object.setTextFormat(Qt.TextFormat.RichText)
        self.object.setWordWrap(True)
        for title, parts in (("Clips", [self.clips]), ("Object", [self.object, self.points])):
            self.addWidget(_group(title, parts))
        self.addWidget(self._view_group())
        self.setStretchFactor(1, 1)
        self.setChildrenCollapsible(False)
        self.setSizes([190, 420, 110])
        self.setMinimumWidth(250)
        self.setContentsMargins(6, 4, 2, 0)  # its groups' titles do not touch the window's edge

    def show_progress(self, rows: list[Row], clip: str) -> None:
        """How far each clip is, and which one is on the screen."""
        if rows != self._rows:
            self._rows = rows
            for i, (row, measured) in enumerate(zip(rows, self._clips, strict=True)):
                item = self.clips.topLevelItem(i)
                assert item is not None
                more = f" + {row.spread}" if row.spread else ""
                item.setText(1, f"{row.frames}{more} / {measured.frames}")
                words = f"{row.frames} labelled, {row.negative} of them: nothing here"
                words += f"; {row.spread} more spread and accepted" if row.spread else ""
                words += f"; {row.proposed} proposed" if row.proposed else ""
                item.setToolTip(1, words)
                for column, spent in enumerate(row.seconds, 2):
                    item.setText(column, f"{spent:.1f} s" if spent else "-")
        at = next((i for i, c in enumerate(self._clips) if c.name == clip), 0)
        if self.clips.currentItem() is not self.clips.topLevelItem(at):
            self.clips.setCurrentItem(self.clips.topLevelItem(at))

    def show_object(self, thing: ObjectLabel | None, words: str, landmark: int | None) -> None:
        """The landmarks of the chosen object and which one is chosen; `words` are rich text."""
        self.object.setText(words)
        for i in range(self.points.topLevelItemCount()):
            item = self.points.topLevelItem(i)
            assert item is not None
            state = "" if thing is None else WORDS[int(thing.v[i])]
            if item.text(1) != state:
                item.setText(1, state)
                faint = thing is not None and int(thing.v[i]) == UNLABELLED
                for column in (0, 1):
                    font = item.font(column)
                    font.setItalic(faint)
                    item.setFont(column, font)
        chosen = None if landmark is None else self.points.topLevelItem(landmark)
        if self.points.currentItem() is not chosen:
            self.points.setCurrentItem(chosen)
            if chosen is not None:
                self.points.scrollToItem(chosen)

    def show_opacity(self, opacity: float) -> None:
        """Where the slider stands."""
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(100 * opacity))

    def _view_group(self) -> QGroupBox:
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setValue(100)
        self.opacity.setToolTip("How strongly points and lines are drawn ( , and . )")
        self.opacity.setAccessibleName("Opacity of the points")
        self.opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.opacity.valueChanged.connect(lambda v: self.opacity_changed.emit(v / 100))
        self.by = QComboBox()
        self.by.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.by.setToolTip("Who guesses the points of frames that are not labelled (G: hide them)")
        self.by.setAccessibleName("Guesses by")
        for value, text in GUESS_BY:
            self.by.addItem(text, value)
        self.by.activated.connect(lambda _: self.guess_by_changed.emit(self.by.currentData()))
        group = QGroupBox("View")
        form = QFormLayout(group)
        form.addRow("Opacity", self.opacity)
        form.addRow("Guesses by", self.by)
        return group


def _tree(titles: Sequence[str], name: str) -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderLabels(list(titles))
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    tree.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keys belong to the frame
    tree.setAccessibleName(name)
    tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = tree.header()
    assert header is not None
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(1, len(titles)):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    return tree


def _group(title: str, parts: Sequence[QWidget]) -> QGroupBox:
    group = QGroupBox(title)
    layout = QVBoxLayout(group)
    layout.setContentsMargins(4, 4, 4, 4)
    for part in parts:
        layout.addWidget(part)
    return group


def _patch(colour: QColor) -> QIcon:
    pixmap = QPixmap(10, 10)
    pixmap.fill(colour)
    return QIcon(pixmap)
