"""What the plots of both windows have in common."""

from __future__ import annotations

from collections.abc import Iterable

import pyqtgraph as pg
from PyQt6.QtGui import QColor, QPalette, QPen

WIDTH = 1.75  # of a curve, logical pixels


def paint_plots(plots: Iterable[pg.PlotWidget], palette: QPalette) -> None:
    """Background and axes in the colours of the desktop."""
    ink = palette.color(QPalette.ColorRole.WindowText)
    for plot in plots:
        plot.setBackground(palette.color(QPalette.ColorRole.Window))
        for name in ("left", "bottom"):
            axis = plot.getPlotItem().getAxis(name)
            axis.setTextPen(ink)
            axis.setPen(ink)


def curve_pen(plot: pg.PlotWidget, colour: QColor | str) -> QPen:
    """As thick on every screen: pyqtgraph's pens count its pixels."""
    pen: QPen = pg.mkPen(colour, width=WIDTH * plot.devicePixelRatioF())
    return pen


def scale_curves(plots: Iterable[pg.PlotWidget]) -> None:
    """As thick as before, on a screen of another scale."""
    for plot in plots:
        for curve in plot.listDataItems():
            curve.setPen(curve_pen(plot, curve.opts["pen"].color()))
