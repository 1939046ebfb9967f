"""Where and how a run was made, without anything that tells who or on which host."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tracker.checkup.bench import cpu_model

PROGRAMS = ("landmark-tracker", "torch", "numpy", "opencv-contrib-python", "onnxruntime")


def provenance() -> dict[str, object]:
    """Command, versions and machine of this process, as plain data."""
    return {
        "command": command_line(sys.argv),
        "versions": {"python": platform.python_version()} | {n: _version(n) for n in PROGRAMS},
        "machine": {
            "processor": cpu_model(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        },
    }


def command_line(argv: Sequence[str]) -> str:
    """The command as one would type it; folders on the way to a file are left out."""
    words = [Path(argv[0]).stem, *[Path(w).name if Path(w).is_absolute() else w for w in argv[1:]]]
    if words[0] in ("__main__", "cli"):
        words[0] = "train"
    return " ".join(f'"{w}"' if " " in w else w for w in words)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "run from its source" if name == PROGRAMS[0] else "not installed"
