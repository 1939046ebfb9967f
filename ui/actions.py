"""Everything that a key, a menu entry or a button does: one table, and what is made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import QAction, QIcon, QKeySequence, QPainter, QPalette, QPixmap
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

import assets

Name = Literal[
    "pause", "record", "snapshot", "flag", "compare", "compare_view", "mirror", "landmarks",
    "labels", "hud", "privacy", "panel", "fullscreen", "open", "help", "quit",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. `icon` '': none, and no button."""

    name: Name
    text: str
    keys: tuple[str, ...]
    tip: str
    menu: Literal["File", "View", "Help"]
    icon: str = ""
    checkable: bool = False
    icon_on: str = ""  # while it is on; '': the same


# fmt: off
ENTRIES = (
    Entry("pause", "Pause", ("Space",), "Hold the picture, and go on", "File", "pause", True,
          "play"),
    Entry("record", "Record", ("R",), "Record video and landmarks; again: stop", "File",
          "record", True, "stop"),
    Entry("snapshot", "Snapshot", ("S",), "Save this picture and its landmarks", "File",
          "snapshot"),
    Entry("flag", "Flag", ("F",), "Keep this moment for labelling: the frame and 2 s around it",
          "File", "flag"),
    Entry("compare", "Compare", ("B",), "Two models on the same frame", "File", "compare", True),
    Entry("compare_view", "Side by side / A / B", ("Shift+B",),
          "While comparing: both beside each other, only A, or only B", "View"),
    Entry("mirror", "Mirror", ("M",), "Show the picture as in a mirror", "View", "mirror", True),
    Entry("landmarks", "Landmarks", ("L",), "Draw landmarks, axes and labels", "View",
          "landmarks", True),
    Entry("labels", "Labels", ("G",), "Write gesture, side, head pose and number", "View",
          "labels", True),
    Entry("hud", "Numbers", ("H",), "Rates, times and latency", "View", "hud", True),
    Entry("privacy", "Privacy", ("P",), "Landmarks on black, no picture", "View", "privacy", True),
    Entry("panel", "Panel", ("F9",), "Settings and plots", "View", "panel", True),
    Entry("fullscreen", "Full screen", ("F11",), "Only the picture", "View", "", True),
    Entry("open", "Open video...", ("Ctrl+O",), "Play a video file", "File"),
    Entry("help", "Keys", ("?", "F1"), "Show all keys", "Help", "help"),
    Entry("quit", "Quit", ("Q", "Esc", "Ctrl+Q"), "Finish recordings and close", "File"),
)
# fmt: on


def make_actions(
    window: QMainWindow, handlers: Mapping[Name, Callable[[bool], None]]
) -> dict[Name, QAction]:
    """One QAction per entry, with its keys; they work while menus and tools are hidden too."""
    actions: dict[Name, QAction] = {}
    for entry in ENTRIES:
        action = QAction(entry.text, window)
        action.setObjectName(entry.name)
        action.setCheckable(entry.checkable)
        action.setShortcuts([QKeySequence(key) for key in entry.keys])
        action.setAutoRepeat(False)
        action.setToolTip(f"{entry.tip} ({entry.keys[0]})")
        action.setStatusTip(entry.tip)
        action.triggered.connect(handlers[entry.name])
        window.addAction(action)
        actions[entry.name] = action
    return actions


def fill_menus(window: QMainWindow, actions: Mapping[Name, QAction]) -> None:
    """The menu bar."""
    bar = window.menuBar()
    assert bar is not None
    menus: dict[str, QMenu | None] = {name: bar.addMenu(f"&{name}") for name in menu_names()}
    for entry in ENTRIES:
        menu = menus[entry.menu]
        assert menu is not None
        if entry.name == "quit":
            menu.addSeparator()
        menu.addAction(actions[entry.name])


def menu_names() -> list[str]:
    """In the order in which they appear."""
    return list(dict.fromkeys(entry.menu for entry in ENTRIES))


def make_toolbar(window: QMainWindow, actions: Mapping[Name, QAction]) -> QToolBar:
    """Buttons with a picture and a word, reachable by Tab."""
    bar = QToolBar("Tools", window)
    bar.setObjectName("tools")
    bar.setMovable(False)
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    for entry in ENTRIES:
        if not entry.icon:
            continue
        bar.addAction(actions[entry.name])
        button = bar.widgetForAction(actions[entry.name])
        assert button is not None
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(entry.text)
        button.setAccessibleDescription(entry.tip)
    return bar


def paint_icons(actions: Mapping[Name, QAction], palette: QPalette) -> None:
    """Icons in the colour of the desktop's text; again whenever the palette changes."""
    ink = palette.color(QPalette.ColorRole.WindowText).name()
    for entry in ENTRIES:
        if entry.icon:
            actions[entry.name].setIcon(icon(entry.icon, entry.icon_on or entry.icon, ink))


def icon(off: str, on: str, ink: str) -> QIcon:
    """The bundled icons for an action that is off and on, in one colour, for all screens."""
    found = QIcon()
    for name, state in ((off, QIcon.State.Off), (on, QIcon.State.On)):
        drawing = assets.path(f"icons/{name}.svg").read_text(encoding="utf-8")
        renderer = QSvgRenderer(QByteArray(drawing.replace("INK", ink).encode()))
        for size in (24, 32, 48, 64):
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            renderer.render(painter)
            painter.end()
            found.addPixmap(pixmap, QIcon.Mode.Normal, state)
    return found


class HelpDialog(QDialog):
    """The list of keys."""

    def __init__(self, parent: QWidget) -> None:
        """Made when it is first asked for."""
        super().__init__(parent)
        self.setWindowTitle("Keys")
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        for row, entry in enumerate(ENTRIES):
            keys = QLabel(" or ".join(f"<b>{key}</b>" for key in entry.keys))
            grid.addWidget(keys, row, 0)
            grid.addWidget(QLabel(entry.text), row, 1)
            grid.addWidget(QLabel(entry.tip), row, 2)
        tab = QLabel("<b>Tab</b>, arrows, Space")
        grid.addWidget(tab, len(ENTRIES), 0)
        grid.addWidget(QLabel("Panel"), len(ENTRIES), 1)
        grid.addWidget(QLabel("Go through the settings and change them"), len(ENTRIES), 2)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(grid)
        layout.addWidget(buttons)
