"""How both windows show a picture: the form that Qt paints, and the colour around it."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from PyQt6.QtGui import QColor, QImage

from tracker.types import Image

AROUND = QColor(24, 24, 27)  # on every desktop


def to_qimage(bgr: Image) -> QImage:
    """A QImage of its own from (H, W, 3) BGR, in the format that the screen takes fastest."""
    bgra = np.ascontiguousarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA))
    height, width = bgr.shape[:2]
    pixels = cast(bytes, bgra.data)  # any buffer will do, without being copied
    # .copy(): the QImage must not outlive the array that it looks into.
    return QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
