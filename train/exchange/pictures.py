"""The pictures that a label file speaks of: found on the way in, copied on the way out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from tracker.errors import writing
from tracker.progress import Report
from tracker.sources.picture_file import decode_picture
from tracker.types import Image
from train.exchange.foreign import Picture, base_name
from train.project.labels import FrameLabel, picture_name
from train.project.layout import Project

ABOVE = 3  # folders above the label file


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
    bgr = decode_picture(raw, picture.name)
    if bgr is not None and picture.size_wh not in (None, bgr.shape[1::-1]):
        flat = decode_picture(raw, picture.name, upright=False)
        if flat is not None and flat.shape[1::-1] == picture.size_wh:
            bgr = flat
    if bgr is None:
        raise ValueError(f"picture {picture.name} cannot be read; mend it or remove its label")
    return bgr


def find(picture: Picture, extra: Path | None) -> Path | None:
    """The file of a picture: by its path from the label file or a folder above, then by name.

    A label file of others says nothing about the rest of the disk: of a path that is absolute or
    climbs, what follows is looked for in these folders and in `extra` alone.
    Uploads to Label Studio carry eight digits and a '-' before their name.
    """
    if not picture.name or "://" in picture.name:
        return None
    name = base_name(picture.name)
    parts = [p for p in PurePosixPath(picture.name).parts if p not in ("/", "..")]
    names = [name, re.sub(r"^[0-9a-f]{8}-", "", name)]
    folders = ([extra] if extra is not None else []) + _folders(picture.folder.absolute())
    for folder in folders:
        for tail in [*("/".join(parts[i:]) for i in range(len(parts))), *names]:
            for place in (folder / tail, folder / "images" / tail):
                if _is_inside(place, folder):
                    return place
    return None


def _folders(folder: Path) -> list[Path]:
    """The label file's folder and three above it, but none that holds more than projects do."""
    home = Path.home().absolute()
    above = list(folder.parents)[:ABOVE]
    return [folder, *(p for p in above if len(p.parts) > 2 and not home.is_relative_to(p))]


def _is_inside(place: Path, folder: Path) -> bool:
    """Whether a file is there and no link leads out of the folder to it."""
    try:
        return place.is_file() and place.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):  # a name that no file can have
        return False


def picture_path(project: Project, label: FrameLabel) -> Path:
    """Where a project keeps the picture of a labelled frame."""
    return project.labels_dir / picture_name(*label.key)


def reported(frames: Sequence[FrameLabel], report: Report) -> Iterator[FrameLabel]:
    """Each of them; then that it is done."""
    for done, label in enumerate(frames, 1):
        yield label
        report(done, len(frames))


def copy_picture(project: Project, label: FrameLabel, to: Path) -> None:
    """Put the picture of a labelled frame into an export. UserError: the disk refuses."""
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture_path(project, label), to)
