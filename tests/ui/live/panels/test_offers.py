"""Buttons below a message."""

from __future__ import annotations

from PyQt6.QtCore import QRectF
from PyQt6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from ui.live.panels.offers import GAP, Offers

BELOW = QRectF(100, 80, 200, 40)


def test_one_message_after_another_has_its_buttons(qtbot: QtBot) -> None:
    """The second row had no size, and was never seen: Qt shows what joins a row only later."""
    picture = QWidget()
    qtbot.addWidget(picture)
    picture.resize(400, 300)
    offers = Offers(picture, {"again": "Play again", "look": "Try again", "file": "Play..."})
    picture.show()
    for names in (("again",), ("look", "file")):
        offers.offer(names, BELOW)
        buttons = [b for b in offers.findChildren(QPushButton) if not b.isHidden()]
        assert len(buttons) == len(names)
        assert offers.width() >= sum(b.sizeHint().width() for b in buttons)
        assert offers.height() >= buttons[0].sizeHint().height()
        assert offers.y() == round(BELOW.bottom()) + GAP
        assert abs(offers.geometry().center().x() - BELOW.center().x()) <= 1
    offers.offer((), BELOW)
    assert offers.isHidden()
