"""What the command line says of the live window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line says; None: as chosen in the window before."""

    camera: str | None = None
    loop: bool = False
    hand_model: Path | None = None
    face_model: Path | None = None
    project: Path | None = None
    hands: bool | None = None
    faces: bool | None = None
    max_hands: int | None = None
    max_faces: int | None = None
    smooth: str | None = None
    mirror: bool | None = None
    fullscreen: bool = False
    measure: float | None = None  # seconds
    models: tuple[Path, ...] = ()  # of any kind, or project folders
    max_objects: int | None = None
    engine: str = "auto"
    precision: str = "fp32"
