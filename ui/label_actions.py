"""Everything that a key, a menu entry or a button of the labeller does: one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence, QPalette
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from ui.actions import icon

Menu = Literal["File", "Edit", "Go", "Points", "View", "Help"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. `icon` '': no button. `held`: the window looks at the key itself."""

    name: str
    text: str
    keys: tuple[str, ...]
    tip: str
    menu: Menu
    icon: str = ""
    checkable: bool = False
    icon_on: str = ""
    held: bool = False
    repeats: bool = False


# fmt: off
ENTRIES = (
    Entry("save", "Save", ("Ctrl+S",), "Write the label files; every action is kept without it",
          "File", "save"),
    Entry("training", "Training", ("F8",), "Start a training and watch its curves", "File",
          "curves", True),
    Entry("quit", "Quit", ("Ctrl+Q",), "Save and close", "File"),
    Entry("undo", "Undo", ("Ctrl+Z",), "Take the last change back, without limit", "Edit", "undo",
          repeats=True),
    Entry("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Make it again", "Edit", "redo",
          repeats=True),
    Entry("copy", "Copy points", ("Ctrl+C",), "Remember the points of this frame", "Edit"),
    Entry("paste", "Paste points", ("Ctrl+V",), "Put them here", "Edit"),
    Entry("delete", "Delete", ("Del", "Backspace"),
          "Remove the chosen object, or the range chosen on the timeline", "Edit", "delete"),
    Entry("unlabel", "Unlabel frame", ("Ctrl+Del",), "Forget all that is labelled on this frame",
          "Edit"),
    Entry("play", "Play", ("P",), "Play and pause; hold 0-9 meanwhile to label", "Go", "play", True,
          "pause"),
    Entry("suggested", "Next suggested", ("Space",),
          "The frame from which the network would learn most", "Go", "suggest", held=True),
    Entry("next", "Next frame", ("Right",), "One frame on", "Go", repeats=True),
    Entry("previous", "Previous frame", ("Left",), "One frame back", "Go", repeats=True),
    Entry("next4", "4 frames on", ("Ctrl+Right",), "Four frames on", "Go", repeats=True),
    Entry("previous4", "4 frames back", ("Ctrl+Left",), "Four frames back", "Go", repeats=True),
    Entry("next100", "100 frames on", ("Ctrl+Alt+Right",), "A hundred frames on", "Go",
          repeats=True),
    Entry("previous100", "100 frames back", ("Ctrl+Alt+Left",), "A hundred frames back", "Go",
          repeats=True),
    Entry("first", "First frame", ("Home",), "The beginning of the clip", "Go"),
    Entry("last", "Last frame", ("End",), "The end of the clip", "Go"),
    Entry("next_labelled", "Next labelled", ("D",), "The next labelled frame of the clip", "Go"),
    Entry("previous_labelled", "Previous labelled", ("A",), "The labelled frame before", "Go"),
    Entry("next_clip", "Next clip", ("Ctrl+PgDown",), "The next clip", "Go"),
    Entry("previous_clip", "Previous clip", ("Ctrl+PgUp",), "The clip before", "Go"),
    Entry("accept", "Accept", ("Return", "Enter"), "The guesses on this frame become labels",
          "Points", "accept"),
    Entry("add", "Add object", ("Ins", "I"), "Place a new object, landmark by landmark", "Points",
          "add"),
    Entry("copy_previous", "Copy previous", ("C",), "The points of the labelled frame before this",
          "Points", "copy"),
    Entry("nothing", "Nothing here", ("B",), "No object on this frame: a negative example",
          "Points", "nothing"),
    Entry("next_object", "Next object", ("X",), "Choose the next object or guess", "Points"),
    Entry("next_landmark", "Next landmark", ("Down",), "Choose the next landmark", "Points",
          repeats=True),
    Entry("previous_landmark", "Previous landmark", ("Up",), "Choose the landmark before", "Points",
          repeats=True),
    Entry("cycle", "Visibility", ("V",), "Visible, occluded, not labelled (also: right click)",
          "Points"),
    Entry("mode", "Numbers: gesture / pose", ("N",), "What plain number keys label", "Points"),
    Entry("fit", "Fit", ("F",), "The whole frame", "View"),
    Entry("object_view", "To the object", ("Z",), "The chosen object large, and back", "View"),
    Entry("bigger", "Larger", ("+", "="), "Zoom in (also: the wheel)", "View", repeats=True),
    Entry("smaller", "Smaller", ("-",), "Zoom out", "View", repeats=True),
    Entry("names", "Names", ("T",), "Write the names of the landmarks", "View", "", True),
    Entry("edges", "Edges", ("E",), "Draw the lines between landmarks", "View", "", True),
    Entry("guesses", "Guesses", ("G",), "Show what the model thinks", "View", "", True),
    Entry("hide", "Hide points", ("H",), "Only the picture", "View", "", True),
    Entry("clearer", "Fainter points", (",",), "Less opaque", "View", repeats=True),
    Entry("fuller", "Stronger points", (".",), "More opaque", "View", repeats=True),
    Entry("help", "Keys", ("?", "F1"), "Show all keys", "Help", "help"),
)
NUDGES = {
    "Shift+Left": (-1.0, 0.0), "Shift+Right": (1.0, 0.0), "Shift+Up": (0.0, -1.0),
    "Shift+Down": (0.0, 1.0), "Alt+Shift+Left": (-0.2, 0.0), "Alt+Shift+Right": (0.2, 0.0),
    "Alt+Shift+Up": (0.0, -0.2), "Alt+Shift+Down": (0.0, 0.2),
}
MORE_HELP = (
    ("0-9, held", "while playing: that gesture, 0 = none"),
    ("Shift + 0-9, held", "the same for head pose, 0 = take away"),
    ("Click, drag a point", "choose it, correct it"),
    ("Click elsewhere", "place the next landmark"),
    ("Right click a point", "visible, occluded, not labelled"),
    ("Shift + arrows", "move the point by 1 px; with Alt 0.2"),
    ("Shift + drag a point", "move the whole object"),
    ("Wheel", "zoom around the cursor"),
    ("Space or middle drag", "move the picture"),
    ("Drag a range's end", "change it; right click: its class"),
)
# fmt: on


def make_actions(
    window: QMainWindow, handlers: Mapping[str, Callable[[bool], object]]
) -> dict[str, QAction]:
    """One QAction per entry, with its keys."""
    actions: dict[str, QAction] = {}
    for entry in ENTRIES:
        action = QAction(entry.text, window)
        action.setObjectName(entry.name)
        action.setCheckable(entry.checkable)
        if entry.held:
            action.setText(f"{entry.text}\t{entry.keys[0]}")
        else:
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
        action.setAutoRepeat(entry.repeats)
        action.setIconText(entry.text)
        action.setToolTip(f"{entry.tip} ({entry.keys[0]})")
        action.setStatusTip(entry.tip)
        action.triggered.connect(handlers[entry.name])
        window.addAction(action)
        actions[entry.name] = action
    return actions


def fill_menus(window: QMainWindow, actions: Mapping[str, QAction]) -> None:
    """The menu bar."""
    bar = window.menuBar()
    assert bar is not None
    for name in dict.fromkeys(entry.menu for entry in ENTRIES):
        menu = bar.addMenu(f"&{name}")
        assert menu is not None
        for entry in ENTRIES:
            if entry.menu == name:
                menu.addAction(actions[entry.name])


def make_toolbar(window: QMainWindow, actions: Mapping[str, QAction]) -> QToolBar:
    """Buttons with a picture and a word; the keyboard stays on the frame when one is clicked."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("tools")
    bar.setMovable(False)
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    for entry in ENTRIES:
        if entry.icon:
            bar.addAction(actions[entry.name])
            button = bar.widgetForAction(actions[entry.name])
            assert button is not None
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(entry.text)
            button.setAccessibleDescription(entry.tip)
    return bar


def paint_icons(actions: Mapping[str, QAction], palette: QPalette) -> None:
    """Icons in the colour of the desktop's text."""
    ink = palette.color(QPalette.ColorRole.WindowText).name()
    for entry in ENTRIES:
        if entry.icon:
            actions[entry.name].setIcon(icon(entry.icon, entry.icon_on or entry.icon, ink))


class HelpDialog(QDialog):
    """The list of keys, in columns."""

    def __init__(self, parent: QWidget) -> None:
        """Made when it is first asked for."""
        super().__init__(parent)
        self.setWindowTitle("Keys")
        groups = [_group("Mouse and numbers", MORE_HELP)]
        for name in dict.fromkeys(e.menu for e in ENTRIES if e.menu != "Help"):
            own = [e for e in ENTRIES if e.menu == name]
            groups.append(_group(name, [(" or ".join(e.keys), e.text) for e in own]))
        inside = QWidget()
        columns = QHBoxLayout(inside)
        columns.setSpacing(32)
        for at in range(3):
            column = QVBoxLayout()
            for group in groups[at::3]:
                column.addWidget(QLabel(group))
            column.addStretch(1)
            columns.addLayout(column)
        area = QScrollArea()
        area.setWidget(inside)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(buttons)
        wish = inside.sizeHint()
        self.resize(wish.width() + 60, min(wish.height() + 80, 760))


def _group(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A heading and two columns, as rich text."""
    lines = "".join(
        f"<tr><td style='padding-right:12px'><b>{keys}</b></td><td>{words}</td></tr>"
        for keys, words in rows
    )
    return f"<h4>{title}</h4><table>{lines}</table>"
