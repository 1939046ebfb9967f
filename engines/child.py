"""How this program starts itself in another process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def command(module: str, *words: str) -> list[str]:
    """Run a module of this program, and never one of the folder that somebody stands in."""
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """The child finds this program where it is found here."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
