"""What is bundled about motions: `assets/gestures/motions.npz`.

The weights that tell the bundled motions, from which likelihood on each is told, and films to learn
a person's own motions beside: composed ones (docs/studies/motions), whose motions and times are
known, and natural movement. Numbers alone; no pictures, no person.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath

import numpy as np

import assets
from tracker.gestures.motions.spotting import Spotter
from tracker.gestures.motions.windows import SIZE, Path
from tracker.gestures.network import Network

FILE = "gestures/motions.npz"
UNIT = 256  # marks of films are whole numbers of 1/256 palm length


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A motion in a film."""

    name: str
    start: float  # s
    end: float


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A hand over time, and what it did; nothing is done in films of natural movement."""

    path: Path
    made: tuple[Made, ...]


@cache
def bundled() -> Spotter:
    """What tells the bundled motions."""
    return spotter_in(assets.path(FILE))


def spotter_in(file: FilePath) -> Spotter:
    """What tells motions, of such a file."""
    with np.load(file, allow_pickle=False) as found:
        names = tuple(map(str, found["names"]))
        network = Network(*(found[part].astype(np.float32) for part in Network.__slots__))
        return Spotter(names, network, dict(zip(names, map(float, found["least"]), strict=True)))


def names() -> tuple[str, ...]:
    """Of the bundled motions."""
    return bundled().names


def films() -> tuple[Film, ...]:
    """The bundled films."""
    with np.load(assets.path(FILE), allow_pickle=False) as found:
        known = tuple(map(str, found["made_names"]))
        made = [
            (int(film), Made(known[int(name)], float(start), float(end)))
            for film, name, start, end in found["made"]
        ]
        rows, film_of = found["marks"] / UNIT, found["film"]
        t = found["t"].astype(np.float64)
    return tuple(
        Film(
            Path(t[film_of == k], rows[film_of == k]),
            tuple(one for film, one in made if film == k),
        )
        for k in range(int(film_of.max()) + 1)
    )


def packed(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """(F, 7) marks as they are kept: in palm lengths, from the film's middle."""
    marks = path.marks.copy()
    size = np.median(marks[:, SIZE])
    marks[:, :2] -= np.median(marks[:, :2], axis=0)
    marks[:, : SIZE + 1] /= size
    return np.clip(np.rint(marks * UNIT), -32768, 32767).astype(np.int16)
