"""This installation: how it starts itself again, and what to type for what it lacks."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

NAME = "landmark-tracker"
ROOT = Path(__file__).resolve().parent.parent


def command(module: str, *words: str) -> list[str]:
    """Run a module of this program, and never one of the folder that somebody stands in."""
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """The child finds this program where it is found here."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def install(extra: str) -> str:
    """A command that brings an extra into the environment of this very program.

    It runs in sh, PowerShell and cmd alike. Where this program is not installed, it is to be typed
    in the folder of its source.
    """
    from importlib.metadata import PackageNotFoundError, requires

    try:
        wanted = needs(extra, requires(NAME) or [])
    except PackageNotFoundError:
        wanted = [f".[{extra}]"]
    return pip_install(*wanted)


def pip_install(*packages: str) -> str:
    """A command that installs packages into this environment."""
    return f"{_pip_install()} {' '.join(_quoted(one) for one in packages)}"


def needs(extra: str, listed: list[str]) -> list[str]:
    """The requirements of an extra on this system, of those that the distribution lists."""
    found = []
    for line in listed:
        requirement, _, marker = line.partition(";")
        system = re.search(r'platform_system\s*([!=]=)\s*"(\w+)"', marker)
        here = system is None or (system[2] == platform.system()) == (system[1] == "==")
        if here and re.search(rf'extra\s*==\s*["\']{re.escape(extra)}["\']', marker):
            found.append(requirement.strip())
    return found


def _pip_install() -> str:
    """`pip install` where that is this environment's, else what reaches it."""
    here = Path(sys.executable).parent
    if find_spec("pip") is None:
        return f"uv pip install --python {_quoted(sys.executable)}"
    found = shutil.which("pip")
    if found is not None and Path(found).parent == here:
        return "pip install"
    return f"{_quoted(sys.executable)} -m pip install"


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w./:\\+-]+", word) else f'"{word}"'
