"""A sentence that has no room loses its middle, and does not go on below what stands beside it."""

from __future__ import annotations

from PyQt6.QtWidgets import QLabel, QMainWindow
from pytestqt.qtbot import QtBot

from ui.kit.status_bar import APART, StatusBar

LONG = "the recording that is under way goes on as it began; R ends it, and a longer sentence"


def shown(qtbot: QtBot, window: QMainWindow, width: int) -> tuple[StatusBar, QLabel]:
    beside = QLabel("Send")
    bar = StatusBar()
    window.setStatusBar(bar)
    bar.setSizeGripEnabled(False)
    bar.addPermanentWidget(beside)
    qtbot.addWidget(window)
    window.resize(width, 200)
    window.show()
    qtbot.waitExposed(window)
    return bar, beside


def test_the_room_ends_at_what_stands_beside(qtbot: QtBot) -> None:
    window = QMainWindow()
    bar, beside = shown(qtbot, window, 300)
    assert bar.room().left() == APART
    assert bar.room().right() == beside.x() - APART - 1


def test_the_end_of_a_long_sentence_is_painted(qtbot: QtBot) -> None:
    """As a picture: the same as the elided sentence, and as nothing else where there is room."""
    window = QMainWindow()
    bar, _ = shown(qtbot, window, 300)
    bar.showMessage(LONG)
    cut = bar.grab().toImage()
    room = bar.room().width()
    assert bar.fontMetrics().horizontalAdvance(LONG) > room
    assert bar.currentMessage() == LONG, "whole, for who asks"
    words = bar.words()
    assert "\u2026" in words and words.startswith("the rec") and words.endswith("sentence")
    assert bar.fontMetrics().horizontalAdvance(words) <= room
    bar.showMessage(words)
    assert bar.grab().toImage() == cut
    bar.showMessage("")
    assert bar.grab().toImage() != cut
