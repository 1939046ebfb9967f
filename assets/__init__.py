"""Files that ship with the program: models, detectors, the 3D face."""

from __future__ import annotations

from pathlib import Path


def path(name: str) -> Path:
    """Where the bundled file `name` (such as 'detectors/palm_detection.tflite') lies.

    Raises FileNotFoundError when the installation lacks it.
    """
    found = Path(__file__).parent / name
    if not found.is_file():
        raise FileNotFoundError(
            f"the bundled file {name} is missing from this installation; "
            "install landmark-tracker again"
        )
    return found
