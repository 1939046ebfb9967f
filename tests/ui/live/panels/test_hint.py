"""The first steps: once, and whenever they are asked for."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel

from tests.helpers.fake_window import Studio
from ui.live.panels.hint import LINES


def test_three_lines_until_they_were_read(studio: Studio) -> None:
    window = studio.open(hint=True)
    hint = window.hint
    (words,) = hint.findChildren(QLabel)
    assert hint.isVisible() and len(LINES) == 3 and all(line in words.text() for line in LINES)
    for size in ((1180, 780), (480, 400)):
        window.resize(*size)
        studio.settle()
        assert window.picture.rect().contains(hint.geometry())
        assert hint.height() < window.picture.height() / 2
    hint.button.click()
    assert not hint.isVisible() and not studio.store().load().hint, "for good"


def test_esc_and_the_settings(studio: Studio) -> None:
    window = studio.open(hint=True)
    studio.key(Qt.Key.Key_Escape)
    assert not window.hint.isVisible()
    window.panel._boxes["hint"].click()
    assert window.hint.isVisible()


def test_it_was_seen_by_whoever_closes_the_window(studio: Studio) -> None:
    window = studio.open(hint=True)
    assert studio.store().load().hint
    with studio.bot.waitSignal(window.ended, timeout=5000):
        window.close()
    assert not studio.store().load().hint
