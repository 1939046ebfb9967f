"""What is bundled about motions: `assets/gestures/motions.npz`.

    python -m docs.studies.motions.examples

Composed people (`people.py`) make the bundled motions and move naturally; a small network learns
from windows of it, twice more with what it mistook. Its thresholds are those from which other
people's natural movement gives so few of each motion an hour as ALLOWED says. Films of yet other
people are bundled beside it, for learning a person's own motions. Shapes of hands are those of the
bundled examples of gestures, two thirds of their sources; the rest is for tests. Ten minutes on a
quiet core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.motions.people import MOTIONS, Stream, acted, idled, person
from docs.studies.motions.windows_of import labelled, rows_of, sample
from tracker.gestures import network
from tracker.gestures.motions.library import packed
from tracker.gestures.motions.spotting import FACED, Spotter, peaks
from tracker.gestures.motions.windows import LENGTHS, is_whole, path_of
from tracker.gestures.network import Network
from tracker.gestures.recogniser import Library, library
from tracker.types import Floats

OUT = FilePath(__file__).parents[3] / "assets" / "gestures" / "motions.npz"
ROUNDS = 2  # of learning again from what was mistaken
LOOKS = 1500  # windows of a film that are judged for it
HARD = 0.3
HIDDEN = 128
ALLOWED = 6.0  # false ones of a motion in an hour of composed natural movement
THRESHOLDS = (0.5, 0.95)  # least and most
LEAST_PEAK = 0.2  # lower ones do not count
KEPT_ACTED, KEPT_IDLE = 8, 16  # films that are bundled
KEPT_FPS = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Windows to learn from."""

    features: Floats
    classes: NDArray[np.intp]


def shapes(for_tests: bool) -> Library:
    """Hands whose shapes people have: of every third source for tests, of the others else."""
    known = library()
    return known.some((known.source % 3 == 0) == for_tests)


def films_of(people: Sequence[int], hands: Library, seconds: float = 45) -> Iterator[Stream]:
    """Of each two: one with each motion twice, one of natural movement."""
    for seed in people:
        yield acted(person(seed), hands, MOTIONS, 2)
        yield idled(person(seed), hands, seconds)


def learnt(films: Sequence[Stream], seed: int = 0) -> Network:
    """A network from windows of these films; of class 0 is what no motion is."""
    rng = np.random.default_rng(seed)
    found = [sample(film, MOTIONS, rng, 200 if film.done else 250) for film in films]
    rows = Rows(*(np.concatenate(part) for part in zip(*found, strict=True)))
    made = network.train(rows.features, rows.classes, seed, HIDDEN)
    for k in range(ROUNDS):
        hard = np.concatenate([mistaken(made, film, rng) for film in films])
        print(f"{len(rows.classes)} windows; {len(hard)} mistaken", flush=True)
        rows = Rows(
            np.concatenate([rows.features, hard]),
            np.concatenate([rows.classes, np.zeros(len(hard), int)]),
        )
        made = network.train(rows.features, rows.classes, seed + 1 + k, HIDDEN)
    return made


def mistaken(made: Network, film: Stream, rng: np.random.Generator) -> Floats:
    """Features of windows without a motion in which one is seen."""
    path = path_of(film.t, film.xy, film.is_mirrored)
    ends, lengths = np.repeat(path.t[2:], len(LENGTHS)), np.tile(LENGTHS, len(path) - 2)
    chosen = rng.permutation(np.flatnonzero(is_whole(path, ends, lengths)))[:LOOKS]
    ends, lengths = ends[chosen], lengths[chosen]
    none = labelled(film.done, MOTIONS, ends, lengths) == 0
    rows = rows_of(path, ends[none], lengths[none])
    return rows[made(rows)[:, 1:].max(1) > HARD]


def thresholds(made: Network, films: Sequence[Stream]) -> dict[str, float]:
    """From which likelihood on each motion is told, by films of natural movement. A swipe to the
    left and one to the right are mirror images, so they share theirs.
    """
    spotter = Spotter(MOTIONS, made, {})
    highest: dict[str, list[float]] = {name: [] for name in MOTIONS}
    for film in films:
        path = path_of(film.t, film.xy, film.is_mirrored)
        likely = spotter.likely(path, path.t)
        for k, name in enumerate(MOTIONS):
            highest[name] += peaks(likely[:, k], path.t, LEAST_PEAK)
    hours = sum(film.seconds for film in films) / 3600
    found = {}
    for name in MOTIONS:
        alike = {name, FACED.get(name, name)}
        values = sorted((peak for one in alike for peak in highest[one]), reverse=True)
        allowed = int(ALLOWED * hours * len(alike))
        least = values[allowed] + 1e-3 if len(values) > allowed else 0.0
        found[name] = float(np.clip(least, *THRESHOLDS))
    return found


def write(
    made: Network, least: dict[str, float], films: Sequence[Stream], path: FilePath = OUT
) -> None:
    """The file."""
    marks, times, film_of, done = [], [], [], []
    for k, film in enumerate(films):
        thin = max(round(len(film.t) / film.seconds / KEPT_FPS), 1)
        hand = path_of(film.t[::thin], film.xy[::thin], film.is_mirrored)
        marks.append(packed(hand))
        times.append(hand.t.astype(np.float32))
        film_of.append(np.full(len(hand), k, np.uint8))
        done += [(k, MOTIONS.index(one.name), one.start, one.end) for one in film.done]
    whole = {
        **{part: getattr(made, part).astype(np.float16 if part in ("first", "last") else np.float32)
           for part in Network.__slots__},
        "names": np.array(MOTIONS), "least": np.array([least[n] for n in MOTIONS], np.float32),
        "marks": np.concatenate(marks), "t": np.concatenate(times),
        "film": np.concatenate(film_of), "made": np.array(done, np.float32),
        "made_names": np.array(MOTIONS),
    }  # fmt: skip
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **whole)  # type: ignore[arg-type]
    part.replace(path)


def main(
    people: Annotated[int, typer.Option(help="To learn from.")] = 130,
    out: Annotated[FilePath, typer.Option(help="File to write.")] = OUT,
) -> None:
    """Learn, choose thresholds, and write."""
    hands = shapes(for_tests=False)
    made = learnt(list(films_of(range(people), hands)))
    apart = [idled(person(400 + k), hands, 90) for k in range(40)]
    least = thresholds(made, apart)
    print(least)
    kept = [acted(person(500 + k), hands, MOTIONS, 1) for k in range(KEPT_ACTED)]
    kept += [idled(person(520 + k), hands, 60) for k in range(KEPT_IDLE)]
    write(made, least, kept, out)
    print(f"wrote {out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    typer.run(main)
