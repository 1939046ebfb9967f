"""Pictures that are no frame of a clip: sets of stills, which are labelled like clips.

A set NAME is the folder labels/frames/NAME with its pictures as frame000000.png, ... and a
pictures.csv (frame, file, sha256 of the pixels) that says which picture each one was. It is
labelled as frame 0, 1, ... of a clip NAME that has no file in clips/. Pictures have no time.
No number is given twice: runs and exports go on speaking of a picture that was removed. The highest
number of such a one stays in pictures.csv, in a line without a file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError
from tracker.plain_data import count, is_bare
from tracker.sources.picture_file import decode_picture, encoded, load_picture
from tracker.types import Frame, Image
from tracker.whole_files import png_size, read_text, write_whole
from train.project.clips import Clip, ClipFrames
from train.project.labels import picture_name
from train.project.layout import Project
from train.project.scan import Report

INDEX = "pictures.csv"
COLUMNS = ("frame", "file", "sha256")
GONE = ("", "")  # stands for a picture that was removed
Known = dict[tuple[str, str], int]  # file, sha256 -> frame


def set_name(project: Project, wanted: str, clips: Iterable[str]) -> str:
    """A name for a set that no clip has. Nothing is made."""
    name = re.sub(r"[^\w-]+", "_", wanted).strip("_") or "pictures"
    taken = {Path(c).stem.casefold() for c in clips}
    while name.casefold() in taken or (
        (project.frames_dir / name).is_dir() and not is_stills(project, name)
    ):
        name += "_pictures"
    return name


def is_stills(project: Project, name: str) -> bool:
    """Whether a name stands for a set of stills, which belongs to no clip."""
    is_name = is_bare(name) and not Path(name).suffix
    return is_name and (project.frames_dir / name / INDEX).is_file()


def set_names(project: Project) -> list[str]:
    """The names of all sets, also of those that hold nothing."""
    if not project.frames_dir.is_dir():
        return []
    return sorted(p.name for p in project.frames_dir.iterdir() if is_stills(project, p.name))


def read_set(project: Project, name: str) -> Known:
    """Which pictures a set holds; nothing where there is none. UserError: its index is broken."""
    return {key: frame for key, frame in _rows(project, name) if key != GONE}


def next_number(project: Project, name: str) -> int:
    """The number of the next picture of a set, which none has had. UserError as above."""
    return max((frame for _, frame in _rows(project, name)), default=-1) + 1


def _rows(project: Project, name: str) -> list[tuple[tuple[str, str], int]]:
    """The lines of an index, with those of pictures that were removed."""
    path = project.frames_dir / name / INDEX
    if not path.is_file():
        return []
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline="")))
        return [((str(r["file"]), str(r["sha256"])), count(r["frame"])) for r in rows]
    except (csv.Error, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is damaged ({error!r}); its lines must be like 0,picture.jpg,SHA256"
        ) from error


def write_set(project: Project, name: str, known: Known, gone: int = -1) -> None:
    """Write the index of a set, `gone` the number of a picture that is removed."""
    gone = max([gone, *(frame for key, frame in _rows(project, name) if key == GONE)])
    if gone >= 0:
        known = known | {GONE: gone}
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


def read_stills(project: Project) -> tuple[Clip, ...]:
    """Each set as a clip of one picture a second, by name. UserError when an index is broken."""
    names = set_names(project)
    found = ((name, sorted(read_set(project, name).values())) for name in names)
    return tuple(_clip(project, name, numbers) for name, numbers in found if numbers)


def add_pictures(
    project: Project, paths: Sequence[Path], name: str, report: Report | None = None
) -> tuple[int, list[str]]:
    """Copy pictures, upright, into the set `name` (of `set_name`).

    How many are new, and sentences about those that cannot be read. One whose pixels are in the
    set already is left out.
    """
    known, next_new = read_set(project, name), next_number(project, name)
    write_set(project, name, known)  # a set from the start, whatever happens meanwhile
    sums, unread, new = {key[1] for key in known}, list[str](), 0
    for i, path in enumerate(paths):
        try:
            bgr = decode_picture(path.read_bytes(), path.name)
        except UserError as error:
            unread.append(str(error))
            continue
        except OSError as error:
            unread.append(f"{path.name} could not be read ({error.strerror}) and was left out")
            continue
        if bgr is None:
            unread.append(f"{path.name} is no picture that can be read and was left out")
            continue
        key = path.name, digest(bgr)
        if key[1] not in sums:
            used = next_new + new
            png = encoded(bgr, ".png", cv2.IMWRITE_PNG_COMPRESSION, 3)
            write_whole(project.labels_dir / picture_name(name, used), png)
            known[key] = used
            sums.add(key[1])
            new += 1
        if report is not None:
            report(name, i + 1, len(paths))
    write_set(project, name, known)
    return new, unread


def _clip(project: Project, name: str, numbers: list[int]) -> Clip:
    first = project.labels_dir / picture_name(name, numbers[0])
    size = png_size(first.read_bytes()) if first.is_file() else None
    count = numbers[-1] + 1
    return Clip(name, count, 1.0, float(count), size or (1, 1), False, "")


class StillFrames:
    """The pictures of a set by their numbers, as `ClipFrames` gives the frames of a clip."""

    def __init__(self, project: Project, clip: Clip) -> None:
        """Reads nothing yet."""
        self._project, self.clip = project, clip

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds: one for each, so that they can be played."""
        return np.arange(self.clip.frames, dtype=np.float64)

    def __len__(self) -> int:
        return self.clip.frames

    def frame(self, i: int) -> Frame:
        """Picture `i`, `bgr` None where there is none to be read. IndexError beyond the set."""
        if not 0 <= i < len(self):
            raise IndexError(f"{self.clip.name} has pictures 0 to {len(self) - 1}, not {i}")
        path = self._project.labels_dir / picture_name(self.clip.name, i)
        try:
            return Frame(i, float(i), load_picture(path))
        except UserError:  # too large; 'train check' tells it
            return Frame(i, float(i), None)

    def close(self) -> None:
        """Nothing is open."""


def frames_of(project: Project, clip: Clip) -> ClipFrames | StillFrames:
    """The frames of a clip or the pictures of a set. UserError when the clip cannot be opened."""
    return StillFrames(project, clip) if clip.is_stills else ClipFrames(project, clip)
