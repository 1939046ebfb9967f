"""Curves on screens of any scale."""

from __future__ import annotations

import time
from dataclasses import replace

import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QEvent
from PyQt6.QtGui import QTextDocument
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.clips import track
from tracker.result import Result
from ui.kit.plots import WIDTH
from ui.live.history import History
from ui.live.panels.plots import Plots


def widths(plots: Plots) -> set[float]:
    return {curve.opts["pen"].widthF() for curve in plots._pose_curves}


def test_a_curve_is_as_thick_on_a_screen_of_twice_the_pixels(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 200 % it was a hairline: pyqtgraph's pens count pixels of the screen."""
    monkeypatch.setattr(pg.PlotWidget, "devicePixelRatioF", lambda _: 2.0)
    plots = Plots(History())
    qtbot.addWidget(plots)
    assert widths(plots) == {2 * WIDTH}
    colours = [curve.opts["pen"].color().name() for curve in plots._pose_curves]
    monkeypatch.setattr(pg.PlotWidget, "devicePixelRatioF", lambda _: 1.0)
    QApplication.sendEvent(plots, QEvent(QEvent.Type.DevicePixelRatioChange))
    assert widths(plots) == {WIDTH}, "the window was moved to another screen"
    assert [curve.opts["pen"].color().name() for curve in plots._pose_curves] == colours


def test_names_beside_a_plot_are_no_markup(qtbot: QtBot) -> None:
    """A gesture may be called <3, and one of somebody else's file anything."""
    history = History()
    told = replace(track(), gesture="<3", gesture_p=0.9, gestures=(("<3", 0.9), ("<b>x", 0.8)))
    history.add(time.monotonic(), Result(0.0, (told,)))
    plots = Plots(history)
    qtbot.addWidget(plots)
    for _ in range(2):
        plots.refresh(time.monotonic(), False)
    page = QTextDocument()
    page.setHtml(plots._gesture_key.text())
    assert page.toPlainText() == "Gesture probability: ■ <3 ■ <b>x"
