"""One thing that `tracker doctor` looked at. Imports nothing that may be broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]
NOTHING = "nothing to do"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    level: Level
    fact: str
    advice: str = NOTHING
