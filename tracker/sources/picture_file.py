"""Picture files: from bytes to upright BGR pixels, never more of them than are allowed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tracker.errors import UserError
from tracker.sources.pixel_limit import too_large
from tracker.types import Image


def decode_picture(data: bytes, name: object, upright: bool = True) -> Image | None:
    """Pixels (H, W, 3), BGR, turned as its EXIF orientation says where `upright`.

    None: it is no picture that can be read. UserError, which calls it `name`, when it is larger
    than allowed, which is known before its pixels take any memory.
    """
    if not data:
        return None
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        read = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            raise UserError(too_large(name)) from error
        return None
    return None if read is None else np.asarray(read, np.uint8)


def load_picture(path: Path) -> Image | None:
    """The same from a file; None where there is none, or none that can be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return decode_picture(data, path)
