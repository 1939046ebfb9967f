"""Pictures in the form that Qt paints."""

from __future__ import annotations

import numpy as np
from PyQt6.QtGui import QImage

from ui.kit.picture import to_qimage

BGR = (40, 90, 200)
RGB = (200, 90, 40)


def test_image_owns_its_pixels() -> None:
    bgr = np.full((5, 7, 3), BGR, np.uint8)
    image = to_qimage(bgr)
    bgr[:] = 0
    assert isinstance(image, QImage) and (image.width(), image.height()) == (7, 5)
    junk = [np.zeros((5, 7, 4), np.uint8) for _ in range(100)]  # takes the place of freed arrays
    assert image.pixelColor(6, 4).getRgb()[:3] == RGB and len(junk) == 100


def test_odd_widths_are_not_sheared() -> None:
    bgr = np.zeros((9, 13, 3), np.uint8)
    bgr[:, 6] = 255
    image = to_qimage(bgr[:, ::-1])
    assert [image.pixelColor(6, y).red() for y in range(9)] == [255] * 9
