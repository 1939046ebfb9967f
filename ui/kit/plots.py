"""What the plots of both windows have in common."""

from __future__ import annotations

from collections.abc import Iterable

import pyqtgraph as pg
from PyQt6.QtGui import QPalette


def paint_plots(plots: Iterable[pg.PlotWidget], palette: QPalette) -> None:
    """Background and axes in the colours of the desktop."""
    ink = palette.color(QPalette.ColorRole.WindowText)
    for plot in plots:
        plot.setBackground(palette.color(QPalette.ColorRole.Window))
        for name in ("left", "bottom"):
            axis = plot.getPlotItem().getAxis(name)
            axis.setTextPen(ink)
            axis.setPen(ink)
