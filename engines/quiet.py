"""Libraries that write to standard error from C++ and have no switch for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what is written to standard error inside; errors must come as exceptions."""
    try:
        kept = os.dup(2)
    except OSError:  # a program without a standard error, such as a window on Windows
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
