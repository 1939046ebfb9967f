"""Files of a few bytes that announce pictures of gigabytes, and others that mean no good."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from tests.helpers import clips
from tests.helpers.clips import Clip


def png(path: Path, side: int = 32000) -> Path:
    """The header of a picture, and a row or two of it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(2 * (3 * side + 1)))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )
    return path


def tiff(path: Path, side: int = 30000) -> Path:
    """Black and white, 1 bit a pixel, fax group 4, all of it in one strip."""
    data = b"\x26\xa0" * 64
    tags = {256: side, 257: side, 258: 1, 259: 4, 262: 0, 273: 8, 277: 1, 278: side, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    place = 8 + len(data)
    path.write_bytes(
        b"II*\0" + struct.pack("<I", place) + data + struct.pack("<H", len(tags)) + entries
        + bytes(4)
    )  # fmt: skip
    return path


def gif(path: Path, side: int = 15000) -> Path:
    """One dot on a huge canvas."""
    path.write_bytes(
        b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
        + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0;"
    )  # fmt: skip
    return path


def ffv1(path: Path, side: int = 16000) -> Path:
    """A small lossless video whose container says that its frames are large."""
    clips.make(path, Clip(codec="ffv1", size_wh=(300, 300), frames=2, options={"level": "1"}))
    data = path.read_bytes()
    for element in (b"\xb0", b"\xba"):  # PixelWidth, PixelHeight
        old = element + b"\x82" + struct.pack(">H", 300)
        assert data.count(old) == 1
        data = data.replace(old, element + b"\x82" + struct.pack(">H", side))
    path.write_bytes(data)
    return path
