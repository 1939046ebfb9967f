"""Words at the edges of the labeller's widgets are whole, left out, or end in dots: never cut."""

from __future__ import annotations

from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QColor, QImage, QPainter
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ui.label.paint import paint_words
from ui.label.timeline import RULER, Line, TimelineView

LONG = "Guess: Enter accepts it, dragging a point or a box corrects it"
BLACK = QColor(0, 0, 0)


def painted(room: float) -> QImage:
    """White words on black, 300 pixels wide."""
    image = QImage(300, 40, QImage.Format.Format_RGB32)
    image.fill(BLACK)
    painter = QPainter(image)
    paint_words(painter, LONG, QPointF(10, 24), bold=True, room=room)
    painter.end()
    return image


def used(image: QImage, left: int, right: int, bottom: int) -> bool:
    """Is anything but the first pixel's colour there, in columns left to right, above bottom?"""
    colours = {image.pixel(x, y) for x in range(left, right) for y in range(bottom)}
    return colours != {image.pixel(left, 0)}


def test_words_keep_to_their_room(qtbot: QtBot) -> None:
    assert used(painted(room=1000), 291, 300, 40), "cut at the edge, where nothing is said of room"
    image = painted(room=280)
    assert used(image, 10, 290, 40) and not used(image, 290, 300, 40)


def test_the_last_time_of_the_ruler_is_left_out_where_it_would_be_cut(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    line = TimelineView(holder)
    line.resize(700, 60)
    line.show_line(Line(seconds=8.05, t=1.0))
    image = line.grab().toImage()
    beside = round(line.x_of(8.0)) + 2
    assert not used(image, beside, 700, round(RULER) - 5)
    line.show_line(Line(seconds=8.9, t=1.0))
    assert used(line.grab().toImage(), round(line.x_of(8.0)) + 2, 700, round(RULER) - 5)
