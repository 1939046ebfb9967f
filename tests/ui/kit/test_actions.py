"""Buttons, and the list of keys, in the room that there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QScreen
from PyQt6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QLabel,
    QMainWindow,
    QProxyStyle,
    QScrollArea,
    QStyle,
)
from pytestqt.qtbot import QtBot

from ui.kit.actions import HelpDialog, make_actions, make_toolbar, paint_icons
from ui.label.actions_table import ENTRIES, HELP


def test_buttons_without_room_for_words_are_icons(qtbot: QtBot) -> None:
    """What went beyond the edge lay behind an arrow, black on a dark desktop."""
    window = QMainWindow()
    qtbot.addWidget(window)
    entries = [entry for entry in ENTRIES if entry.icon]
    actions = make_actions(window, entries, {e.name: lambda _: None for e in entries})
    paint_icons(entries, actions, window.palette())
    bar = make_toolbar(window, entries, actions)
    window.addToolBar(bar)
    window.resize(1400, 300)
    window.show()
    qtbot.waitExposed(window)
    words, icons = (
        Qt.ToolButtonStyle.ToolButtonTextUnderIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
    )  # fmt: skip
    assert bar.toolButtonStyle() == words
    needed = bar.sizeHint().width()
    for width, style in ((needed, words), (needed - 1, icons), (683, icons), (needed, words)):
        window.resize(width, 300)
        qtbot.waitUntil(lambda style=style: bar.toolButtonStyle() == style, timeout=2000)
        qtbot.wait(20)
        assert bar.width() == width
        right = max(bar.widgetForAction(a).geometry().right() for a in actions.values())
        assert right < width, "all are to be seen"


@pytest.mark.parametrize("room, columns", [((2560, 1300), 3), ((1280, 720), 2), ((683, 384), 1)])
def test_keys_have_as_many_columns_as_fit(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, room: tuple[int, int], columns: int
) -> None:
    """At 200 % the words of the third were cut, and no bar led to them."""
    monkeypatch.setattr(QScreen, "availableSize", lambda _: QSize(*room))
    window = QMainWindow()
    qtbot.addWidget(window)
    dialog = HelpDialog(window, HELP, columns=3)
    dialog.show()
    qtbot.waitExposed(dialog)
    labels = dialog.findChildren(QLabel)
    assert len({label.x() for label in labels}) == columns and len(labels) == len(HELP)
    (area,) = dialog.findChildren(QScrollArea)
    inside, seen = area.widget(), area.viewport()
    assert inside is not None and seen is not None
    assert inside.width() <= seen.width(), "nothing is beyond the right edge"
    assert all(label.width() >= label.minimumSizeHint().width() for label in labels)
    assert dialog.width() <= round(0.9 * room[0]) and dialog.height() <= round(0.9 * room[1])


class WithIcons(QProxyStyle):
    """As on desktops that have icons in dialogs."""

    def styleHint(self, hint, option=None, widget=None, returned=None):  # type: ignore[no-untyped-def]
        is_asked = hint == QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons
        return 1 if is_asked else super().styleHint(hint, option, widget, returned)


@pytest.fixture
def icons(qapp: QApplication) -> Iterator[None]:
    before = qapp.style()
    assert before is not None
    name = before.objectName()
    qapp.setStyle(WithIcons(name))
    yield
    qapp.setStyle(name)


@pytest.mark.usefixtures("icons")
def test_no_button_of_a_dialog_has_the_icon_of_the_style(qtbot: QtBot) -> None:
    """It is black on every desktop."""
    window = QMainWindow()
    qtbot.addWidget(window)
    (box,) = HelpDialog(window, HELP).findChildren(QDialogButtonBox)
    assert [b.icon().isNull() for b in box.buttons()] == [True]
    assert [b.text().replace("&", "") for b in box.buttons()] == ["Close"]
