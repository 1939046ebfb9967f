"""Scrolling plots of head pose and gesture probabilities over the clock time."""

from __future__ import annotations

import time
from html import escape

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tracker.follow.gesture import NONE
from ui.kit.colours import class_colour
from ui.kit.plots import curve_pen, paint_plots, scale_curves
from ui.live.history import POSE, History, Series

SPAN = 20.0  # seconds shown
POSE_PENS = ("#e0453a", "#2fa84f", "#3b82f6")
NO_GESTURE = "#85858d"  # grey: it is none of those to be told apart
SEEN = 0.2  # probability from which a gesture is named beside its curve


class Plots(QWidget):
    """Two plots. `refresh` draws one of them at a time, so that no turn takes long."""

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        """Shows `history`, whose times are monotonic seconds."""
        super().__init__(parent)
        self._history = history
        self._to_clock = time.time() - time.monotonic()
        self._pose, self._gestures = _plot((-60, 60)), _plot((0, 1.05))
        self._pose_key, self._gesture_key = _key(), _key()
        self._pose_curves = [
            self._pose.plot(pen=curve_pen(self._pose, colour)) for colour in POSE_PENS
        ]
        self._gesture_curves: dict[str, pg.PlotDataItem] = {}  # each keeps its colour
        self._seen: list[str] = []  # of them, those that are not near 0 all the time
        self._turn = 0
        now = time.time()
        for plot in (self._pose, self._gestures):
            plot.setXRange(now - SPAN, now, padding=0)  # what is not drawn yet is of now, too
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(0)
        for key, plot, name in (
            (self._pose_key, self._pose, "Plot of yaw, pitch and roll in degrees"),
            (self._gesture_key, self._gestures, "Plot of the probabilities of the gestures"),
        ):
            plot.setAccessibleName(name)
            layout.addWidget(key)
            layout.addWidget(plot, 1)
        # Room for two lines, so that a name more does not shift the plot.
        self._gesture_key.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 4)
        self._write_keys()
        self.set_palette(self.palette())

    def set_palette(self, palette: QPalette) -> None:
        """Colours of the desktop."""
        paint_plots((self._pose, self._gestures), palette)

    def event(self, event: QEvent | None) -> bool:
        """A window that moves to a screen of another scale."""
        if event is not None and event.type() == QEvent.Type.DevicePixelRatioChange:
            scale_curves((self._pose, self._gestures))
        return super().event(event)

    def refresh(self, now: float, mirror: bool) -> None:
        """Draw the plot whose turn it is. In a mirrored picture yaw and roll change sign."""
        t = self._history.times() + self._to_clock
        since = now + self._to_clock - SPAN
        first = int(np.searchsorted(t, since))
        self._turn += 1
        if self._turn % 2:
            signs = np.array([-1, 1, -1] if mirror else [1, 1, 1])
            pose = (self._history.pose() * signs)[first:]
            for curve, values in zip(self._pose_curves, pose.T, strict=True):
                curve.setData(t[first:], values, connect="finite")
            self._pose.setXRange(since, since + SPAN, padding=0)
        else:
            self._draw_gestures(t[first:], first)
            self._gestures.setXRange(since, since + SPAN, padding=0)

    def clear(self) -> None:
        """Another source: forget the gestures' curves."""
        for curve in self._gesture_curves.values():
            self._gestures.removeItem(curve)
        self._gesture_curves.clear()
        self._seen = []
        self._write_keys()

    def _draw_gestures(self, t: Series, first: int) -> None:
        found = self._history.gestures()
        for name in found:
            if name not in self._gesture_curves:
                colour = _colour(name, len(self._gesture_curves))
                pen = curve_pen(self._gestures, colour)
                self._gesture_curves[name] = self._gestures.plot(pen=pen)
        seen = [n for n, v in found.items() if np.fmax.reduce(v[first:], initial=0.0) >= SEEN]
        for name, curve in self._gesture_curves.items():
            curve.setVisible(name in seen)  # the others lie on the bottom, and cost as much
            if name in seen:
                curve.setData(t, found[name][first:], connect="finite")
        if seen != self._seen:
            self._seen = seen
            self._write_keys()

    def _write_keys(self) -> None:
        """Which colour is what, beside the plots and not on them."""
        colours = {name: _colour(name, i) for i, name in enumerate(self._gesture_curves)}
        for label, title, entries in (
            (self._pose_key, "Head pose in degrees:", zip(POSE, POSE_PENS, strict=True)),
            (self._gesture_key, "Gesture probability:", ((n, colours[n]) for n in self._seen)),
        ):
            words = [
                f'<span style="color:{colour}">■</span>&nbsp;{escape(name)}'
                for name, colour in entries
            ]
            label.setText(" ".join([title, *words]))


def _colour(gesture: str, i: int) -> str:
    return NO_GESTURE if gesture == NONE else class_colour(i)


def _key() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    return label


def _plot(y_range: tuple[float, float]) -> pg.PlotWidget:
    plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem()})
    plot.setYRange(*y_range, padding=0)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setMinimumHeight(80)
    plot.showGrid(y=True, alpha=0.25)
    for widget in (plot, plot.viewport()):
        widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return plot
