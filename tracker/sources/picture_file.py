"""Picture files: from bytes to upright BGR pixels and back, never more than are allowed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tracker.errors import UserError
from tracker.sources.pixel_limit import most_pixels, too_large
from tracker.types import Image

# While it is decoded, AVIF takes up to 38 bytes a pixel, a PNG that moves 27, JPEG 2000 20, all
# others at most 16 (measured): so many times fewer pixels of those three are allowed.
HEAVY = 3
PNG, JPEG_2000 = b"\x89PNG\r\n\x1a\n", b"\xff\x4f\xff\x51"


def decode_picture(data: bytes, name: object, upright: bool = True) -> Image | None:
    """Pixels (H, W, 3), BGR, turned as its EXIF orientation says where `upright`.

    None: it is no picture that can be read. UserError, which calls it `name`, when it is larger
    than allowed, which is known before its pixels take any memory.
    """
    if not data:
        return None
    heavy, most = heavy_pixels(data), most_pixels() // HEAVY
    if heavy > most:
        raise UserError(too_large(name, most))
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


def encoded(bgr: Image, suffix: str = ".png", *how: int) -> bytes:
    """Pixels (H, W, 3), BGR, as the bytes of a file of that kind; ValueError where OpenCV cannot.

    `how`: OpenCV's flags, each followed by its value. Python then writes the file: OpenCV itself
    does not write under every name on Windows.
    """
    try:
        good, data = cv2.imencode(suffix, bgr, how)
    except cv2.error as error:
        raise ValueError(f"OpenCV writes no {suffix} file: {error.err}") from error
    if not good:
        raise ValueError(f"OpenCV writes no {suffix} file of {bgr.shape[1]}x{bgr.shape[0]} pixels")
    return data.tobytes()


def heavy_pixels(data: bytes) -> int:
    """Pixels that a file announces whose kind takes much memory for each; 0: it is of another."""
    if data.startswith(PNG):
        return _product(data, 16) if b"acTL" in data else 0
    if data.startswith(JPEG_2000):
        return _product(data, 8)
    most = 0
    for name, start, end in _boxes(data):
        if name == b"jp2c" and data.startswith(JPEG_2000, start):
            most = max(most, _product(data, start + 8))
        at = data.find(b"ispe", start, end) if name == b"meta" else -1
        while at >= 0:  # of each picture that it is put together from
            most = max(most, _product(data, at + 8))
            at = data.find(b"ispe", at + 4, end)
        at = data.find(b"av01", start, end) if name == b"moov" else -1
        if at >= 0:  # a sequence, in 16 bits each
            wide, high = _numbers(">HH", data, at + 28)
            most = max(most, wide * high)
    return most


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of the content of each outermost box (ISO 14496-12), as AVIF has them."""
    at = 0 if data[4:8] in (b"ftyp", b"jP  ") else len(data)
    while at + 8 <= len(data):
        size, head = _numbers(">I", data, at)[0], 8
        if size == 1:
            size, head = _numbers(">Q", data, at + 8)[0], 16
        end = at + size if size else len(data)
        if end < at + head:
            return
        yield data[at + 4 : at + 8], at + head, min(end, len(data))
        at = end


def _product(data: bytes, at: int) -> int:
    """Of the two numbers of 32 bits that lie there."""
    wide, high = _numbers(">II", data, at)
    return wide * high


def _numbers(form: str, data: bytes, at: int) -> tuple[int, ...]:
    """As `struct` names them; zeros where the file ends before."""
    size = struct.calcsize(form)
    return struct.unpack(form, data[at : at + size].ljust(size, b"\0"))
