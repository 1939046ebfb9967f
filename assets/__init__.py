"""Files that ship with the program: models, detectors, the 3D face."""

from __future__ import annotations

import hashlib
from pathlib import Path

SUMS = "SHA256SUMS"


def path(name: str) -> Path:
    """Where the bundled file `name` (such as 'models/hand21.onnx') lies.

    Raises FileNotFoundError when the installation lacks it.
    """
    found = Path(__file__).parent / name
    if not found.is_file():
        raise FileNotFoundError(
            f"the bundled file {name} is missing from this installation; "
            "install landmark-tracker again"
        )
    return found


def checked_path(name: str) -> Path:
    """`path`, after the file's sha256 was found equal to the one in the SHA256SUMS beside it.

    Raises ValueError when it differs or is not listed.
    """
    found = path(name)
    lines = path(f"{Path(name).parent.as_posix()}/{SUMS}").read_text(encoding="ascii").splitlines()
    listed = {file: total for total, file in (line.split("  ", 1) for line in lines if line)}
    actual = hashlib.sha256(found.read_bytes()).hexdigest()
    if listed.get(found.name) != actual:
        raise ValueError(
            f"the bundled file {name} is damaged: its sha256 is {actual}, "
            f"{listed.get(found.name, 'none')} is listed; install landmark-tracker again"
        )
    return found
