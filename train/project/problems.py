"""One thing that is wrong in a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it."""

    severity: Literal["error", "warning"]
    file: str  # relative to the project
    place: str  # in the file: a line, a frame, a name; '' for all of it
    what: str
    remedy: str
    fixed: bool = False
    code: str = ""  # what `check(fix=True)` can do about it; '': nothing

    @property
    def where(self) -> str:
        """File and place."""
        return f"{self.file}, {self.place}" if self.place else self.file


def error(file: str, place: str, what: str, remedy: str, code: str = "") -> Problem:
    """A problem that spoils a training or loses labels."""
    return Problem("error", file, place, what, remedy, False, code)


def warning(file: str, place: str, what: str, remedy: str, code: str = "") -> Problem:
    """A problem that one may live with."""
    return Problem("warning", file, place, what, remedy, False, code)
