"""Scrolling plots of head pose and gesture probabilities over the clock time."""

from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from ui.history import POSE, History, Series

SPAN = 20.0  # seconds shown
POSE_PENS = ("#e0453a", "#2fa84f", "#3b82f6")
GESTURE_PENS = ("#d97706", "#8b5cf6", "#0891b2", "#db2777", "#65a30d", "#dc2626", "#0d9488")


class Plots(QWidget):
    """Two plots. `refresh` draws one of them at a time, so that no turn takes long."""

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        """Shows `history`, whose times are monotonic seconds."""
        super().__init__(parent)
        self._history = history
        self._to_clock = time.time() - time.monotonic()
        self._pose = _plot("Head pose", "degrees", (-90, 90))
        self._gestures = _plot("Gesture", "probability", (0, 1.05))
        self._pose_curves = [
            self._pose.plot(pen=pg.mkPen(colour, width=1.5), name=name, skipFiniteCheck=False)
            for name, colour in zip(POSE, POSE_PENS, strict=True)
        ]
        self._gesture_curves: dict[str, pg.PlotDataItem] = {}
        self._turn = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for plot, name in (
            (self._pose, "Plot of yaw, pitch and roll in degrees"),
            (self._gestures, "Plot of the probabilities of the gestures shown"),
        ):
            plot.setAccessibleName(name)
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            plot.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
            layout.addWidget(plot)
        self.set_palette(self.palette())

    def set_palette(self, palette: QPalette) -> None:
        """Colours of the desktop."""
        ink = palette.color(QPalette.ColorRole.WindowText)
        for plot in (self._pose, self._gestures):
            plot.setBackground(palette.color(QPalette.ColorRole.Window))
            item = plot.getPlotItem()
            item.titleLabel.setText(item.titleLabel.text, color=ink, size="9pt")
            for axis in ("left", "bottom"):
                item.getAxis(axis).setTextPen(ink)
                item.getAxis(axis).setPen(ink)
            item.legend.setLabelTextColor(ink)
            for _, label in item.legend.items:
                label.setText(label.text, color=ink)

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

    def _draw_gestures(self, t: Series, first: int) -> None:
        found = self._history.gestures()
        for name in found.keys() - self._gesture_curves.keys():
            colour = GESTURE_PENS[len(self._gesture_curves) % len(GESTURE_PENS)]
            self._gesture_curves[name] = self._gestures.plot(
                pen=pg.mkPen(colour, width=2), name=name
            )
        for name, values in found.items():
            self._gesture_curves[name].setData(t, values[first:], connect="finite")


def _plot(title: str, unit: str, y_range: tuple[float, float]) -> pg.PlotWidget:
    plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem()}, title=f"{title} ({unit})")
    plot.setYRange(*y_range, padding=0)
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setMinimumHeight(110)
    plot.addLegend(offset=(4, 2), colCount=3)
    plot.showGrid(y=True, alpha=0.25)
    return plot
