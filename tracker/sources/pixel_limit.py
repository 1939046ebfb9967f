"""How large a picture or a frame may be, kept where OpenCV looks for its own limit.

A file of a few KB can announce a picture that takes gigabytes. OpenCV compares the size in a
picture's header with the variable `LIMIT` before it takes memory for the pixels, and reads that
variable once, while it is imported; FFmpeg is told the number for frames. That one is lower: a
decoder keeps up to 17 frames, and an encoder some more.
"""

from __future__ import annotations

import os
from contextlib import suppress

LIMIT = "OPENCV_IO_MAX_IMAGE_PIXELS"
FRAMES = "LANDMARK_TRACKER_MAX_FRAME_PIXELS"  # for children; whoever sets LIMIT means frames, too
USUAL = 100_000_000
USUAL_OF_FRAMES = 36_000_000  # 8K, as 7680x4320 and 8192x4320, has 33 and 35 million
# In files of fewer bytes a frame may have so many bits, where its pixels are deeper than the usual
# ones, 8 bits with colours that are halved both ways: no camera's 8K is as small.
SMALL_FILE, DEEP_BITS, USUAL_BITS = 16_000_000, 288_000_000, 12
# In files of even fewer, no 8K that lasts, a decoder may take so many bytes. H.264 and HEVC hold 16
# frames that others refer to, 16 that wait for their turn, and two in work; of each its motion
# vectors, in bytes a pixel. (Measured in all: 92 bytes a pixel of 12 bits, 148 of 24.)
TINY_FILE, DECODER, HELD, BESIDE = 2_000_000, 1_250_000_000, 34, 0.9


def limit_pixels(millions: int | None = None) -> None:
    """Set both limits of this process and its children; None: the usual ones, unless one is set.

    For pictures it only counts before OpenCV is imported.
    """
    if millions is not None:
        os.environ[LIMIT] = os.environ[FRAMES] = str(millions * 1_000_000)
        return
    if LIMIT not in os.environ:
        os.environ.setdefault(FRAMES, str(USUAL_OF_FRAMES))
    os.environ.setdefault(LIMIT, str(USUAL))


def most_pixels() -> int:
    """Of a picture: what is set, else the usual limit."""
    return _number(LIMIT, USUAL)


def most_frame_pixels() -> int:
    """Of a frame of a video: the lower of both that are set, else the usual limit."""
    if LIMIT not in os.environ and FRAMES not in os.environ:
        return USUAL_OF_FRAMES
    return min(_number(FRAMES, most_pixels()), most_pixels())


def most_frame_pixels_of(file_bytes: int, bits: int, alone: bool) -> int:
    """Of a frame of a file whose pixels have so many bits; `alone`: no frame refers to others.

    As `most_frame_pixels`, but less in a small file, unless a user set the limit.
    """
    most = most_frame_pixels()
    if (most, most_pixels()) != (USUAL_OF_FRAMES, USUAL):
        return most
    if file_bytes < SMALL_FILE and bits > USUAL_BITS:
        most = DEEP_BITS // bits
    if file_bytes < TINY_FILE and not alone:
        most = min(most, int(DECODER / (HELD * (bits / 8 + BESIDE))))
    return most


def too_large(name: object, most: int | None = None) -> str:
    """The sentence about a picture that is refused; `most` where its limit is another."""
    return _sentence(f"{name} is larger than", most_pixels() if most is None else most)


def frames_too_large(name: object, most: int | None = None) -> str:
    """The sentence about a video that is refused; `most` where its limit is another."""
    most = most_frame_pixels() if most is None else most
    return _sentence(f"{name} has frames that are larger than", most)


def _sentence(fact: str, most: int) -> str:
    return (
        f"{fact} {most / 1e6:.4g} million pixels; make it smaller, or allow more with "
        f"--max-megapixels (or {LIMIT} in the environment)"
    )


def _number(variable: str, usual: int) -> int:
    with suppress(KeyError, ValueError):  # not set, or in a form that only OpenCV knows, as '1MB'
        return int(os.environ[variable])
    return usual
