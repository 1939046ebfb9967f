"""How far a job is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[int, int], None]  # how many are done, and of how many


def silent(done: int, of: int) -> None:
    """A `Report` to nobody."""
