"""Pictures that are no frame of a clip: where they are kept, and finding them again.

A set NAME is the folder labels/frames/NAME with a pictures.csv (frame, file, sha256 of the pixels).
It is labelled like a clip of that name that has no file in clips/.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from tracker.project.files import write_whole
from tracker.project.layout import Project
from tracker.types import Image
from train.exchange.parts import Picture, base_name

INDEX = "pictures.csv"
COLUMNS = ("frame", "file", "sha256")
Known = dict[tuple[str, str], int]  # file, sha256 -> frame


def set_name(project: Project, wanted: str, clips: Iterable[str]) -> str:
    """A name for a set that no clip has. Nothing is made."""
    name = re.sub(r"[^\w-]+", "_", wanted).strip("_") or "pictures"
    taken = {Path(c).stem.casefold() for c in clips}
    while name.casefold() in taken or (
        (project.frames_dir / name).is_dir() and not is_set(project, name)
    ):
        name += "_pictures"
    return name


def is_set(project: Project, name: str) -> bool:
    """Whether `name` is a set of stills."""
    return bool(name) and (project.frames_dir / name / INDEX).is_file()


def read_set(project: Project, name: str) -> Known:
    """Which pictures a set holds."""
    path = project.frames_dir / name / INDEX
    if not path.is_file():
        return {}
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    return {(r["file"], r["sha256"]): int(r["frame"]) for r in rows}


def write_set(project: Project, name: str, known: Known) -> None:
    """Write the index of a set."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([frame, *key] for key, frame in sorted(known.items(), key=lambda e: e[1]))
    path = project.frames_dir / name / INDEX
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.getvalue().encode())


def digest(bgr: Image) -> str:
    """The sha256 of a picture's pixels and size."""
    return sha256(repr(bgr.shape).encode() + bgr.tobytes()).hexdigest()


def load(picture: Picture, extra: Path | None) -> Image | None:
    """The pixels, upright; None where the file cannot be found. ValueError: it cannot be read.

    Where the label file's size is that of the picture before it was turned by its EXIF orientation,
    it is taken as it lies in the file: so it was labelled.
    """
    if picture.data is not None:
        raw = picture.data()
    else:
        path = find(picture, extra)
        if path is None:
            return None
        raw = path.read_bytes()
    data = np.frombuffer(raw, np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if bgr is not None and picture.size_wh not in (None, bgr.shape[1::-1]):
        flat = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if flat is not None and flat.shape[1::-1] == picture.size_wh:
            bgr = flat
    if bgr is None:
        raise ValueError(f"picture {picture.name} cannot be read; mend it or remove its label")
    return bgr.astype(np.uint8, copy=False)


def find(picture: Picture, extra: Path | None) -> Path | None:
    """The file of a picture: by its path from the label file or a folder above, then by name.

    Uploads to Label Studio carry eight digits and a '-' before their name.
    """
    if not picture.name or "://" in picture.name:
        return None
    relative = PurePosixPath(picture.name)
    if Path(picture.name).is_absolute() and Path(picture.name).is_file():
        return Path(picture.name)
    name = base_name(picture.name)
    parts = [p for p in relative.parts if p not in ("/", "..")]
    names = [name, re.sub(r"^[0-9a-f]{8}-", "", name)]
    above = [picture.folder, *list(picture.folder.absolute().parents)[:3]]
    folders = ([extra] if extra is not None else []) + above
    for folder in folders:
        for tail in [*("/".join(parts[i:]) for i in range(len(parts))), *names]:
            for place in (folder / tail, folder / "images" / tail):
                if place.is_file():
                    return place
    if (picture.folder / relative).is_file():
        return picture.folder / relative
    return None
