"""What files of others say, taken with care: texts, numbers and names that cannot do harm.

All raise ValueError in a few words, without the name of the file, which the caller knows.
"""

from __future__ import annotations

import json
import math
import os
import re
import tomllib
from pathlib import Path
from typing import Any

MOST = 2**31 - 1  # frames, pixels, seconds: whatever is counted
DIGEST = re.compile(r"[0-9a-f]{64}")
# What a spreadsheet takes for the start of a formula (OWASP, CSV injection), and control letters.
FORMULA = re.compile(r"[=+\-@\t\r]")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def from_json(text: str | bytes, nan: bool = False) -> Any:
    """A JSON text. ValueError, too, for deep nesting and, unless `nan`, for NaN and infinity.

    JSON has neither; the files of our own trainings say NaN where a number is not known.
    """
    try:
        return json.loads(text, parse_constant=None if nan else _refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def from_toml(text: str) -> dict[str, Any]:
    """A TOML text. ValueError (tomllib.TOMLDecodeError is one), too, for deep nesting."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def count(value: object, least: int = 0, most: int = MOST) -> int:
    """A whole number from `least` to `most`; 3.0 and '3' are 3."""
    found = finite(value)
    if found != int(found) or not least <= found <= most:
        raise ValueError(f"{_short(value)} is no whole number from {least} to {most}")
    return int(found)


def finite(value: object, least: float = -1e15, most: float = 1e15) -> float:
    """A number from `least` to `most`, neither NaN nor infinite."""
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        raise ValueError(f"{_short(value)} is no number") from None
    if not math.isfinite(found) or not least <= found <= most:
        raise ValueError(f"{_short(value)} is no number from {least:g} to {most:g}")
    return found


def bare_name(value: object) -> str:
    """The name of a file in a folder that is known: it leads nowhere else."""
    if not isinstance(value, str) or not is_bare(value):
        raise ValueError(f"{_short(value)} is no bare file name")
    return value


def is_bare(name: str) -> bool:
    """Whether a name, and its stem, is that of one file, without a folder, on any system."""
    leads = re.search(r"[/\\\x00:]" if os.name == "nt" else r"[/\\\x00]", name)
    return leads is None and bool(Path(name).stem.strip(". "))


def digest(value: object) -> str:
    """A sha256 as 64 hexadecimal digits."""
    if not isinstance(value, str) or DIGEST.fullmatch(value) is None:
        raise ValueError(f"{_short(value)} is no sha256 of 64 hexadecimal digits")
    return value


def is_plain_word(name: str) -> bool:
    """Whether a name may head a column of a CSV file: no spreadsheet takes it for a formula."""
    return FORMULA.match(name) is None and CONTROL.search(name) is None


def _refuse(word: str) -> None:
    raise ValueError(f"it holds {word}, which is no number")


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # of an integer of more digits than Python prints
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
