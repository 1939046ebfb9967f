"""Keys, menus, buttons and the list of keys, all made from a window's one table of entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import (
    QAction,
    QIcon,
    QKeySequence,
    QPainter,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PyQt6.QtSvg import QSvgRenderer
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

import assets

Group = tuple[str, Sequence[tuple[str, ...]]]  # a heading ('': none), and rows that begin with keys


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. `icon` '': none, and no button."""

    name: str
    text: str
    keys: tuple[str, ...]
    tip: str
    menu: str
    icon: str = ""
    checkable: bool = False
    icon_on: str = ""  # while it is on; '': the same
    held: bool = False  # the window looks at the key itself
    repeats: bool = False  # while its key is down
    apart: bool = False  # a line above it in the menu

    @property
    def all_keys(self) -> str:
        """Its keys in words."""
        return " or ".join(self.keys)


def make_actions(
    window: QMainWindow, entries: Sequence[Entry], handlers: Mapping[str, Callable[[bool], object]]
) -> dict[str, QAction]:
    """One QAction per entry, with its keys; they work while menus and tools are hidden too."""
    actions: dict[str, QAction] = {}
    for entry in entries:
        action = QAction(entry.text, window)
        action.setObjectName(entry.name)
        action.setCheckable(entry.checkable)
        if entry.held:
            action.setText(f"{entry.text}\t{entry.keys[0]}")
            action.setIconText(entry.text)
        else:
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
        action.setAutoRepeat(entry.repeats)
        action.setToolTip(f"{entry.tip} ({entry.keys[0]})")
        action.setStatusTip(entry.tip)
        action.triggered.connect(handlers[entry.name])
        window.addAction(action)
        actions[entry.name] = action
    return actions


def fill_menus(
    window: QMainWindow, entries: Sequence[Entry], actions: Mapping[str, QAction]
) -> None:
    """The menu bar."""
    bar = window.menuBar()
    assert bar is not None
    for name in menu_names(entries):
        menu = bar.addMenu(f"&{name}")
        assert menu is not None
        for entry in entries:
            if entry.menu == name:
                if entry.apart:
                    menu.addSeparator()
                menu.addAction(actions[entry.name])


def menu_names(entries: Sequence[Entry]) -> list[str]:
    """In the order in which they appear."""
    return list(dict.fromkeys(entry.menu for entry in entries))


class ToolBar(QToolBar):
    """Words below its icons where there is room for all of them; else icons alone."""

    def __init__(self, window: QMainWindow) -> None:
        """Fill it, then the window shows it."""
        super().__init__("Tools", window)
        self.setObjectName("tools")
        self.setMovable(False)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self._needed = 0  # pixels for the words of all buttons

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """What would go beyond the edge lay behind an arrow that nobody looks for."""
        super().resizeEvent(event)
        words = Qt.ToolButtonStyle.ToolButtonTextUnderIcon
        if self.toolButtonStyle() == words:
            self._needed = self.sizeHint().width()
        short = Qt.ToolButtonStyle.ToolButtonIconOnly
        self.setToolButtonStyle(words if self.width() >= self._needed else short)


def make_toolbar(
    window: QMainWindow, entries: Sequence[Entry], actions: Mapping[str, QAction]
) -> ToolBar:
    """Buttons with a picture and a word, reachable by Tab; a click on one takes no key away."""
    bar = ToolBar(window)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    for entry in entries:
        if not entry.icon:
            continue
        bar.addAction(actions[entry.name])
        button = bar.widgetForAction(actions[entry.name])
        assert button is not None
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(entry.text)
        button.setAccessibleDescription(entry.tip)
    return bar


def paint_icons(
    entries: Sequence[Entry], actions: Mapping[str, QAction], palette: QPalette
) -> None:
    """Icons in the colour of the desktop's text; again whenever the palette changes.

    What is on, and has no other icon for that, is in the colour of what is selected: a pressed
    button alone is hard to tell on dark desktops.
    """
    ink = palette.color(QPalette.ColorRole.WindowText).name()
    chosen = palette.color(QPalette.ColorRole.Highlight).name()
    for entry in entries:
        if entry.icon:
            inks = ink, ink if entry.icon_on else chosen
            actions[entry.name].setIcon(icon(entry.icon, entry.icon_on or entry.icon, inks))


def icon(off: str, on: str, inks: tuple[str, str]) -> QIcon:
    """The bundled icons for an action that is off and on, in their colours, for all screens."""
    found = QIcon()
    states = (off, QIcon.State.Off, inks[0]), (on, QIcon.State.On, inks[1])
    for name, state, ink in states:
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
    """The list of keys, its groups dealt out to columns."""

    def __init__(self, parent: QWidget, groups: Sequence[Group], columns: int = 1) -> None:
        """Made when it is first asked for."""
        super().__init__(parent)
        self.setWindowTitle("Keys")
        screen = parent.screen()
        assert screen is not None
        room = 0.9 * screen.availableSize()
        inside = next(
            found
            for found in (_Columns(groups, n) for n in range(columns, 0, -1))
            if found.sizeHint().width() + 60 <= room.width() or found.columns == 1
        )
        area = QScrollArea()
        area.setWidget(inside)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        without_icons(buttons)
        layout = QVBoxLayout(self)
        layout.addWidget(area)
        layout.addWidget(buttons)
        wish = inside.sizeHint()
        if wish.width() + 60 > room.width():
            area.setWidgetResizable(True)
            for label in inside.findChildren(QLabel):
                label.setWordWrap(True)
        self.resize(
            min(wish.width() + 60, room.width()), min(wish.height() + 80, 760, room.height())
        )


class _Columns(QWidget):
    """Groups of keys, dealt out to so many columns."""

    def __init__(self, groups: Sequence[Group], columns: int) -> None:
        super().__init__()
        self.columns = columns
        row = QHBoxLayout(self)
        row.setSpacing(32)
        for at in range(columns):
            column = QVBoxLayout()
            for heading, rows in groups[at::columns]:
                column.addWidget(QLabel(_table(heading, rows)))
            column.addStretch(1)
            row.addLayout(column)


def without_icons(buttons: QDialogButtonBox) -> None:
    """The style's own are black on every desktop."""
    for button in buttons.buttons():
        button.setIcon(QIcon())


def as_markdown(groups: Sequence[Group]) -> str:
    """The list of keys for a handbook: one table, each group under its heading."""
    lines = ["| keys | what |", "|---|---|"]
    for heading, rows in groups:
        lines.append(f"| **{heading}** | |")
        lines += [f"| {keys} | {', '.join(words)} |" for keys, *words in rows]
    return "\n".join(lines)


def _table(heading: str, rows: Sequence[tuple[str, ...]]) -> str:
    """A heading and rows of cells, as rich text; the keys are bold."""
    lines = []
    for keys, *words in rows:
        cells = "".join(f"<td style='padding-left:12px'>{cell}</td>" for cell in words)
        lines.append(f"<tr><td><b>{keys}</b></td>{cells}</tr>")
    title = f"<h4>{heading}</h4>" if heading else ""
    return f"{title}<table>{''.join(lines)}</table>"
