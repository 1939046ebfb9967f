"""How large a picture or a frame may be: one limit, kept where OpenCV looks for its own.

A file of a few KB can announce a picture that takes gigabytes. OpenCV compares the size in a
picture's header with the variable `LIMIT` before it takes memory for the pixels, and reads that
variable once, while it is imported; FFmpeg is told the same number.
"""

from __future__ import annotations

import os
from contextlib import suppress

LIMIT = "OPENCV_IO_MAX_IMAGE_PIXELS"
USUAL = 100_000_000


def limit_pixels(millions: int | None = None) -> None:
    """Set the limit of this process and its children; None: the usual one, unless one is set.

    For pictures it only counts before OpenCV is imported.
    """
    if millions is not None:
        os.environ[LIMIT] = str(millions * 1_000_000)
    else:
        os.environ.setdefault(LIMIT, str(USUAL))


def most_pixels() -> int:
    """The limit that is set, else the usual one."""
    with suppress(KeyError, ValueError):  # not set, or in a form that only OpenCV knows, as '1MB'
        return int(os.environ[LIMIT])
    return USUAL


def too_large(name: object, what: str = "is") -> str:
    """The sentence about a file that is refused; `what`: such as 'is' or 'has frames that are'."""
    return (
        f"{name} {what} larger than {most_pixels() / 1e6:g} million pixels; make it smaller, or "
        f"allow more with --max-megapixels (or {LIMIT} in the environment)"
    )
