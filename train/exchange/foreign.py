"""What a format is, and what a label file of another tool says before it meets a project."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.installation import install
from tracker.plain_data import from_json
from tracker.progress import Report
from train.project.labels import FrameLabel
from train.project.layout import Project

Points = NDArray[np.float64]
Flags = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """One labelled object. Pixels as the file counts them."""

    names: tuple[str, ...]  # of the P points
    xy: Points  # (P, 2), NaN where v == 0
    v: Flags  # (P,) 0 not labelled, 1 hidden, 2 visible
    box_xyxy: Points | None = None  # (4,)
    confidence: Points | None = None  # (P,) of points that were spread; None: by hand
    came_from: tuple[int, ...] = ()  # frames from which they were


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a label file, or one frame of a video."""

    name: str  # path as the file gives it, with '/'; '' where it is a frame of a video only
    things: tuple[Thing, ...]
    folder: Path  # where the label file lies
    video: str = ""
    frame: int | None = None  # of `video`, from 0
    size_wh: tuple[int, int] | None = None
    negative: bool = False
    data: Callable[[], bytes] | None = None  # the picture's own file, where it is inside


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """A label file. `notes` are sentences about what in it could not be taken."""

    format: str
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class LabelFile:
    """A file that is to be read. Without slots: the body is kept where it is first asked for."""

    path: Path
    hidden: bool = False  # SLEAP: points that are not visible are labelled, but hidden

    @property
    def suffix(self) -> str:
        """Of its name, in small letters."""
        return self.path.suffix.lower()

    @cached_property
    def body(self) -> Any:
        """What a JSON file holds. ValueError for a file that is none."""
        try:
            return from_json(self.path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{self.path} is not valid JSON ({error}); export it again") from error

    def has(self, keys: set[str]) -> bool:
        """Whether it is a .json that holds an object with these keys."""
        return self.suffix == ".json" and isinstance(self.body, dict) and keys <= set(self.body)


# What a format may be unable to hold.
OCCLUDED, BOXES, NEGATIVE, STILLS = "occluded", "boxes", "negative", "stills"


@dataclass(frozen=True, slots=True)
class Format:
    """A format of label files: how it comes in and goes out; a row of `train.exchange.formats`."""

    name: str  # as --format takes it
    # A file of it; ValueError where it is none. None: another format's reader takes these files.
    read: Callable[[LabelFile], Foreign] | None
    # Puts frames (each with a label that it can hold), with pictures, which it reports, into a new
    # folder; the label files it wrote. None: it is only read.
    write: Callable[[Project, Sequence[FrameLabel], Path, Report], list[Path]] | None
    recognises: Callable[[LabelFile], bool]  # by its name or, for JSON, its content
    corner: bool = False  # pixels count from the corner of the first one, not from its centre
    loses: tuple[str, ...] = ()  # of OCCLUDED, BOXES, NEGATIVE, STILLS
    hdf5: bool = False  # written with h5py
    needs_pictures: bool = True  # written with those of the frames, which must be there


def thing(points: Iterable[tuple[str, float, float, int]], box: Points | None = None) -> Thing:
    """From (name, x, y, v)."""
    rows = list(points)
    xy = np.array([(x, y) for _, x, y, _ in rows], np.float64).reshape(-1, 2)
    v = np.array([v for *_, v in rows], np.uint8)
    v[~np.isfinite(xy).all(1)] = 0
    xy[v == 0] = np.nan
    return Thing(tuple(name for name, *_ in rows), xy, v, box)


def with_boxes(
    things: Sequence[Thing], loose: Sequence[Points], any_points: bool
) -> tuple[list[Thing], int]:
    """Objects, with boxes of which the file does not say whose they are; and how many stay over.

    Where there are no points in the picture each box is an object; one box and one object without
    a box belong together.
    """
    if not things and not any_points:
        return [thing((), box) for box in loose], 0
    if len(loose) == len(things) == 1 and things[0].box_xyxy is None:
        return [replace(things[0], box_xyxy=loose[0])], 0
    return list(things), len(loose)


LOOSE = "boxes were left out: the file does not say of which object they are; group them with it"


def moved(found: Foreign, by: float) -> Foreign:
    """The same labels with `by` pixels added to every coordinate."""

    def shift(t: Thing) -> Thing:
        return replace(t, xy=t.xy + by, box_xyxy=None if t.box_xyxy is None else t.box_xyxy + by)

    pictures = (replace(p, things=tuple(map(shift, p.things))) for p in found.pictures)
    return replace(found, pictures=tuple(pictures))


def slashes(path: str) -> str:
    """A path of Windows or Unix with '/'."""
    return path.replace("\\", "/")


def base_name(path: str) -> str:
    """The last part of a path of Windows or Unix."""
    return PurePosixPath(slashes(path)).name


def frame_number(stem: str) -> int | None:
    """The number in img0123, frame_000123 or 0123; None for any other name."""
    found = re.fullmatch(r"(?:img|image|frame|fr)?[ _-]?(\d{1,9})", stem, re.IGNORECASE)
    return int(found[1]) if found else None


def repeated(names: Sequence[str]) -> str | None:
    """The first name that is there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def by_group(rows: Iterable[tuple[object, Any]]) -> Iterator[tuple[object, list[Any]]]:
    """Rows of the same group together, in order of appearance."""
    groups: dict[object, list[Any]] = {}
    for group, row in rows:
        groups.setdefault(group, []).append(row)
    yield from groups.items()


class NotInstalled(ValueError):
    """A library that a format needs is missing; nothing is wrong with the file."""


def h5py_module() -> Any:
    """h5py. NotInstalled with the remedy where it is missing."""
    try:
        import h5py
    except ImportError as error:
        raise NotInstalled(
            f"SLEAP and HDF5 files need h5py, which is not installed; run: {install('exchange')}"
        ) from error
    return h5py
