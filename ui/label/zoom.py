"""Where the frame lies in the canvas: zoom and pan, as one mapping for picture and points.

A pixel's centre lies at integer frame coordinates; pixel 0 covers -0.5 to 0.5. Widget coordinates
are Qt's logical pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from PyQt6.QtCore import QPointF, QRectF

MOST = 64.0  # widget pixels per frame pixel
KEEP = 40.0  # widget pixels of the frame that stay in sight


@dataclass(frozen=True, slots=True)
class Zoom:
    """widget = left, top + (frame + 0.5) * scale."""

    scale: float
    left: float
    top: float

    def to_widget(self, x: float, y: float) -> QPointF:
        """Where a point of the frame is painted."""
        return QPointF(self.left + (x + 0.5) * self.scale, self.top + (y + 0.5) * self.scale)

    def to_frame(self, at: QPointF) -> tuple[float, float]:
        """Which point of the frame is painted there."""
        return (at.x() - self.left) / self.scale - 0.5, (at.y() - self.top) / self.scale - 0.5

    def rect(self, size_wh: tuple[int, int]) -> QRectF:
        """Where a frame of this size is painted."""
        return QRectF(self.left, self.top, size_wh[0] * self.scale, size_wh[1] * self.scale)

    def moved(self, by: QPointF) -> Zoom:
        """Panned."""
        return replace(self, left=self.left + by.x(), top=self.top + by.y())

    def zoomed(self, factor: float, about: QPointF, least: float) -> Zoom:
        """Larger or smaller; what is painted at `about` stays there."""
        scale = min(max(self.scale * factor, least), MOST)
        ratio = scale / self.scale
        left = about.x() - (about.x() - self.left) * ratio
        top = about.y() - (about.y() - self.top) * ratio
        return Zoom(scale, left, top)

    def kept(self, size_wh: tuple[int, int], room_wh: tuple[float, float]) -> Zoom:
        """Not dragged out of sight."""
        sides = []
        for start, size, room in zip((self.left, self.top), size_wh, room_wh, strict=True):
            keep = min(KEEP, size * self.scale)
            sides.append(min(max(start, keep - size * self.scale), room - keep))
        return replace(self, left=sides[0], top=sides[1])


def fitting(size_wh: tuple[int, int], room_wh: tuple[float, float]) -> Zoom:
    """The whole frame, in the middle."""
    scale = min(room_wh[0] / size_wh[0], room_wh[1] / size_wh[1])
    return Zoom(scale, (room_wh[0] - size_wh[0] * scale) / 2, (room_wh[1] - size_wh[1] * scale) / 2)


def framing(
    box: tuple[float, float, float, float], room_wh: tuple[float, float], least: float
) -> Zoom:
    """The box xyxy (frame pixels) in the middle, with as much again around it."""
    x0, y0, x1, y1 = box
    w, h = max(x1 - x0, 8.0) * 1.6, max(y1 - y0, 8.0) * 1.6
    scale = min(max(min(room_wh[0] / w, room_wh[1] / h), least), MOST)
    left = room_wh[0] / 2 - ((x0 + x1) / 2 + 0.5) * scale
    top = room_wh[1] / 2 - ((y0 + y1) / 2 + 0.5) * scale
    return Zoom(scale, left, top)
