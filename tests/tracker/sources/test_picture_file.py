"""Pictures whose kind takes much memory are told by their headers, before they are decoded."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from tracker.errors import UserError
from tracker.sources.picture_file import decode_picture, encoded, heavy_pixels
from tracker.sources.pixel_limit import LIMIT

SIZ = b"\xff\x4f\xff\x51" + struct.pack(">HHII", 47, 0, 70, 40)
FTYP = (b"ftyp", b"avif\0\0\0\0")


def boxes(*named: tuple[bytes, bytes]) -> bytes:
    """ISO 14496-12: a size that includes itself and the name, the name, the content."""
    return b"".join(struct.pack(">I", 8 + len(body)) + name + body for name, body in named)


def ispe(wide: int, high: int) -> tuple[bytes, bytes]:
    return b"ispe", struct.pack(">III", 0, wide, high)


def moving_png(wide: int, high: int, moving: bool = True) -> bytes:
    """A sound PNG, gray, with one frame of its movement."""

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)

    control = struct.pack(">IIIIIHHBB", 0, wide, high, 0, 0, 1, 10, 0, 0)
    animation = chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", control)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0))
        + (animation if moving else b"")
        + chunk(b"IDAT", zlib.compress((b"\0" + bytes(wide)) * high))
        + chunk(b"IEND", b"")
    )


WIDE_BOX = struct.pack(">I4sQ", 1, b"meta", 16 + 4 + 20) + bytes(4) + boxes(ispe(70, 40))
SEQUENCE = boxes((b"stsd", b"\0" * 8 + boxes((b"av01", bytes(24) + struct.pack(">HH", 70, 40)))))


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (boxes(FTYP, (b"free", b""), (b"meta", bytes(4) + boxes(ispe(70, 40)))), 2800),
        (boxes(FTYP, (b"meta", boxes(ispe(7, 4), ispe(70, 40), ispe(8, 5)))), 2800),
        (boxes(FTYP, (b"mdat", boxes(ispe(70, 40)))), 0),  # pixels may look like anything
        (boxes(FTYP) + WIDE_BOX, 2800),
        (boxes(FTYP) + struct.pack(">I4s", 0, b"meta") + boxes(ispe(70, 40)), 2800),  # to the end
        (boxes(FTYP, (b"moov", SEQUENCE)), 2800),
        (SIZ, 2800),
        (boxes((b"jP  ", b"\r\n\x87\n"), FTYP, (b"jp2c", SIZ)), 2800),
        (moving_png(70, 40), 2800),
        (moving_png(70, 40, moving=False), 0),
        (boxes(FTYP, (b"meta", boxes(ispe(70, 40))[:14])), 0),  # cut off
        (boxes(FTYP) + struct.pack(">I4s", 3, b"meta") + bytes(90), 0),  # smaller than its own head
        (b"BM" + bytes(50), 0),
        (b"", 0),
    ],
)
def test_pixels_of_kinds_that_take_much_memory(data: bytes, pixels: int) -> None:
    assert heavy_pixels(data) == pixels


@pytest.mark.parametrize("suffix", [".avif", ".jp2"])
def test_what_opencv_writes_is_told(suffix: str) -> None:
    if not cv2.haveImageWriter(f"a{suffix}"):
        pytest.skip("this OpenCV writes none")
    gray = np.full((40, 70, 3), 90, np.uint8)
    assert heavy_pixels(cv2.imencode(suffix, gray)[1].tobytes()) == 2800
    assert heavy_pixels(cv2.imencode(".webp", gray)[1].tobytes()) == 0


def test_what_is_written_is_read_again() -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    data = encoded(picture, ".png", cv2.IMWRITE_PNG_COMPRESSION, 0)
    read = decode_picture(data, "a.png")
    assert read is not None and np.array_equal(read, picture)
    assert len(encoded(picture)) < len(data), "compressed, where nothing else is said"


@pytest.mark.parametrize(("suffix", "wide"), [(".nothing", 6), (".jpg", 70_000)])
def test_what_opencv_cannot_write(suffix: str, wide: int) -> None:
    with pytest.raises(ValueError, match=rf"OpenCV writes no \{suffix} file"):
        encoded(np.zeros((4, wide, 3), np.uint8), suffix)


def test_they_have_a_third_of_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = moving_png(70, 40)
    monkeypatch.setenv(LIMIT, "8400")
    read = decode_picture(data, "a.png")
    assert read is not None and read.shape == (40, 70, 3)
    monkeypatch.setenv(LIMIT, "8399")
    with pytest.raises(UserError, match=r"a\.png is larger than 0\.002799 million pixels"):
        decode_picture(data, "a.png")
    assert decode_picture(moving_png(70, 40, moving=False), "a.png") is not None
