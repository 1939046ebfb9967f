"""Where a user's settings are: gestures of one's own, the token of VTube Studio."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def settings_folder(environ: Mapping[str, str] = os.environ, system: str | None = None) -> Path:
    """This program's folder among them; nobody makes it here. `system` as `sys.platform`."""
    system = sys.platform if system is None else system
    if system == "win32" and environ.get("APPDATA"):
        home = Path(environ["APPDATA"])
    elif system == "darwin":
        home = Path.home() / "Library" / "Application Support"
    else:
        home = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "landmark-tracker"
