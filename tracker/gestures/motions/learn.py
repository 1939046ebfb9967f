"""From a motion that a person showed some times to what tells it, in seconds.

A small network tells windows of the person's motions from all else: bundled films of other motions
and of natural movement, what the person showed as anything else, and parts of the motion itself.
Each repetition is learnt from in many forms: larger, smaller, leaning, quicker, slower, with the
hand held otherwise. How sure it must be is chosen on what was kept apart: every second repetition,
and every second film, is judged by a network that learnt from the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tracker.gestures.motions.library import Film, films
from tracker.gestures.motions.repetitions import repetitions
from tracker.gestures.motions.spotting import Spotter, peaks
from tracker.gestures.motions.windows import (
    BEFORE,
    LENGTHS,
    OPEN,
    PINCH,
    POINTS,
    SIZE,
    TIP_X,
    TIP_Y,
    Path,
    Values,
    features,
    is_whole,
    path_of,
    windows,
)
from tracker.gestures.network import Network, train
from tracker.gestures.own import Gesture, Sample
from tracker.types import Floats, Side

LEAST = 3  # repetitions
SHOWN = 1500  # windows of a motion to learn from
ELSE = 5000  # and of everything else
STEP = 0.1  # s between two looks at a film
SOON = (0.1, 0.27)  # s after its end in which a motion is to be told
NEAR, UNCLEAR = 0.2, 0.5  # logarithms of how much longer a window is than the motion
HARD = 0.25  # what is taken for a motion with more than this is learnt from again
# Ends of the slider: told so often in an hour of composed natural movement.
LENIENT, STRICT = 120.0, 2.0
GIVEN_UP = 0.05  # of the repetitions at most in the slider's lower half
LOWEST, CEILING = 0.2, 0.97
LIKE, SAME = 0.2, 0.5  # shares of a bundled motion that are taken for the own one


@dataclass(frozen=True, slots=True, eq=False)
class MotionCurve:
    """What a threshold of a motion misses and mistakes, on what was kept apart."""

    own: Floats  # of each repetition the probability at its end, rising
    others: Floats  # of all moments that look most like it in `hours` of other movement, rising
    hours: float

    def threshold(self, strictness: float) -> float:
        """From 0, never missed, to 1, never by mistake: from which probability on it is told."""
        allowed = int(self.hours * LENIENT * (STRICT / LENIENT) ** strictness)
        found = 0.0 if allowed >= len(self.others) else float(self.others[-1 - allowed]) + 1e-3
        if len(self.own):
            given_up = GIVEN_UP + (1 - GIVEN_UP) * max(2 * strictness - 1, 0)
            found = min(max(found, 0.5), float(np.quantile(self.own, given_up)))
        return float(np.clip(found, LOWEST, CEILING))

    def missed(self, threshold: float) -> float:
        """The share of repetitions that are not told."""
        return float(np.mean(self.own < threshold)) if len(self.own) else 0.0

    def an_hour(self, threshold: float) -> float:
        """How often it is told in an hour of other movement."""
        return float(np.sum(self.others >= threshold)) / max(self.hours, 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What tells a person's own motions."""

    spotter: Spotter
    curves: Mapping[str, MotionCurve]
    # Bundled motions of which a good part is taken for the own one; the own one takes their place.
    like: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()

    def as_strict(self, gestures: Sequence[Gesture]) -> Taught:
        """The same, each motion as strict as it is among these."""
        least = {g.name: self.curves[g.name].threshold(g.strictness) for g in gestures}
        return replace(self, spotter=replace(self.spotter, thresholds=least))


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """A take of a motion."""

    path: Path
    made: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    """Windows of other movement: where each is from and when it ends."""

    features: Floats
    film: NDArray[np.intp]
    end: Values

    def some(self, chosen: NDArray[np.bool_]) -> _Windows:
        return _Windows(self.features[chosen], self.film[chosen], self.end[chosen])


def path_in(take: Sequence[Sample]) -> Path:
    """The path of a take's hand, as `MotionNames` reads it."""
    t = np.array([sample.t for sample in take], np.float64)
    xy = np.array([sample.hands[0].xy for sample in take]).reshape(-1, 21, 2)
    order = np.argsort(t, kind="stable")
    t, xy = t[order], xy[order]
    rising = np.concatenate([[True], np.diff(t) > 1e-6])[: len(t)]
    return path_of(t[rising], xy[rising])


def count(takes: Sequence[Sequence[Sample]]) -> int:
    """How often a motion is shown in these takes."""
    return sum(len(repetitions(path_in(take))) for take in takes)


def learn_motions(gestures: Sequence[Gesture], seed: int = 0) -> Taught:
    """What tells these motions. ValueError, in a sentence, where one was shown too rarely."""
    shown = []
    for gesture in gestures:
        paths = [path_in(take) for take in gesture.takes]
        takes = tuple(_Shown(path, repetitions(path)) for path in paths)
        times = sum(len(take.made) for take in takes)
        if times < LEAST:
            raise ValueError(
                f"{gesture.name!r} is seen {times} times and {LEAST} are the least; show it again, "
                "with a short rest before each time, where the camera sees all of it"
            )
        shown.append(takes)
    known = films()
    others = [path_in(take) for gesture in gestures for take in gesture.others]
    paths = [film.path for film in known] + others
    look = _looks(paths)
    names = tuple(gesture.name for gesture in gestures)
    rng = np.random.default_rng(seed)
    said, likely = _judged_apart(shown, look, rng)
    like, replaced = _like(names, known, look, likely)
    taken = _of_motions(known, look, replaced)
    hours = sum(float(np.ptp(p.t)) for p in paths if len(p)) / 3600
    curves = {
        name: MotionCurve(
            np.sort(np.array(said[k], np.float32)),
            _peaks(look.some(~taken), likely[~taken, k]), hours,
        )
        for k, name in enumerate(names)
    }  # fmt: skip
    network = _learnt(shown, look.some(~taken), rng, seed)
    least = {g.name: curves[g.name].threshold(g.strictness) for g in gestures}
    sides: dict[str, Side] = {
        g.name: "left" if g.hands == "left" else "right" for g in gestures if g.hands != "either"
    }
    return Taught(Spotter(names, network, least, sides), curves, like, replaced)


def _looks(paths: Sequence[Path]) -> _Windows:
    """All windows of these films, a look every STEP s."""
    rows, film, when = [], [], []
    for k, path in enumerate(paths):
        if len(path) < 3:
            continue
        times = np.arange(path.t[0] + 0.4, path.t[-1], STEP)
        ends, lengths = np.repeat(times, len(LENGTHS)), np.tile(LENGTHS, len(times))
        whole = is_whole(path, ends, lengths)
        seen = windows(path, ends[whole], lengths[whole])
        rows.append(features(seen, lengths[whole]))
        film.append(np.full(len(rows[-1]), k))
        when.append(ends[whole])
    return _Windows(np.concatenate(rows), np.concatenate(film), np.concatenate(when))


def _judged_apart(
    shown: Sequence[Sequence[_Shown]], look: _Windows, rng: np.random.Generator
) -> tuple[list[list[float]], Floats]:
    """How likely each repetition is, and each window of other films (N, motions), by networks that
    learnt from other repetitions and films.
    """
    said: list[list[float]] = [[] for _ in shown]
    likely = np.zeros((len(look.film), len(shown)), np.float32)
    for half in (0, 1):
        kept = [
            [_Shown(t.path, tuple(m for i, m in enumerate(t.made) if i % 2 != half)) for t in takes]
            for takes in shown
        ]
        rest = look.film % 2 == half
        network = _learnt(kept, look.some(~rest), rng, half + 1)
        likely[rest] = network(look.features[rest])[:, 1:]
        for k, takes in enumerate(shown):
            for take in takes:
                for i, (start, end) in enumerate(take.made):
                    if i % 2 == half:
                        said[k].append(_at_end(network, take.path, start, end)[k])
    return said, likely


def _at_end(network: Network, path: Path, start: float, end: float) -> Floats:
    """(motions,) how likely each is after a repetition, in the window that says so most."""
    ends = np.repeat(end + np.arange(0.0, 0.36, 0.05), len(LENGTHS))
    lengths = np.tile(LENGTHS, 8)
    whole = is_whole(path, ends, lengths)
    if not whole.any():
        return np.zeros(network.last.shape[2] - 1, np.float32)
    p = network(features(windows(path, ends[whole], lengths[whole]), lengths[whole]))
    return np.asarray(p[:, 1:].max(0))


def _learnt(
    shown: Sequence[Sequence[_Shown]], look: _Windows, rng: np.random.Generator, seed: int
) -> Network:
    """Learn, look for what is mistaken, and learn again."""
    rows, classes = [], []
    for k, takes in enumerate(shown):
        own, partly = _forms(takes, rng)
        rows += [own, partly]
        classes += [np.full(len(own), 1 + k), np.zeros(len(partly), int)]
    chosen = rng.permutation(len(look.film))[:ELSE]
    rows.append(look.features[chosen])
    classes.append(np.zeros(len(chosen), int))
    first = train(np.concatenate(rows), np.concatenate(classes), seed)
    mistaken = np.flatnonzero(first(look.features)[:, 1:].max(1) > HARD)
    hard = look.features[rng.permutation(mistaken)[:ELSE]]
    if not len(hard):
        return first
    rows.append(np.repeat(hard, 2, axis=0))
    classes.append(np.zeros(2 * len(hard), int))
    return train(np.concatenate(rows), np.concatenate(classes), seed + 10)


def _forms(takes: Sequence[_Shown], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Features of the motion in many forms, and of windows that hold a part of it or none."""
    times = sum(len(take.made) for take in takes)
    own: list[Floats] = []
    partly: list[Floats] = []
    own_long: list[Values] = []
    partly_long: list[Values] = []
    for take in takes:
        for start, end in take.made:
            n = SHOWN // times + 1
            ends = end + rng.uniform(*SOON, n)
            lengths = (ends - start) * np.exp(rng.uniform(-NEAR, NEAR, n))
            _keep(take.path, ends, lengths, own, own_long)
            # Parts: the beginning, the end, far too short and too long ones.
            ends = rng.uniform(start, end + 0.6, n // 2)
            lengths = np.exp(rng.uniform(np.log(LENGTHS[0]), np.log(LENGTHS[-1]), n // 2))
            longer = np.abs(np.log(lengths / np.maximum(ends - start, 1e-3)))
            clear = (ends < end - 0.15) | (longer > UNCLEAR)
            _keep(take.path, ends[clear], lengths[clear], partly, partly_long)
    shapes = []
    for seen, long in ((own, own_long), (partly, partly_long)):
        marks = np.concatenate([np.zeros((0, BEFORE + POINTS, 7), np.float32), *seen])
        shapes.append(features(*_varied(marks, np.concatenate([np.zeros(0), *long]), rng)))
    return shapes[0], shapes[1]


def _keep(
    path: Path, ends: Values, lengths: Values, seen: list[Floats], long: list[Values]
) -> None:
    whole = is_whole(path, ends, lengths)
    if whole.any():
        seen.append(windows(path, ends[whole], lengths[whole]))
        long.append(lengths[whole])


def _varied(marks: Floats, lengths: Values, rng: np.random.Generator) -> tuple[Floats, Values]:
    """Windows as another time, or another person, might show them."""
    n = len(marks)
    size = np.median(marks[:, :, SIZE], axis=1)[:, None, None] if n else np.zeros((0, 1, 1))
    angle = rng.normal(0, 0.12, n)
    c, s = np.cos(angle), np.sin(angle)
    lean = np.moveaxis(np.array([[c, -s], [s, c]]), 2, 0) * rng.uniform(0.72, 1.38, (n, 1, 1))
    lean[:, :, 0] *= rng.uniform(0.9, 1.1, (n, 1))
    phase = np.linspace(0, np.pi, marks.shape[1])
    bend = sum(
        rng.normal(0, 0.06 / k, (n, 1, 2)) * np.sin(k * phase)[None, :, None] for k in (1, 2, 3)
    )
    new = np.array(marks, np.float64)
    middle = new[:, :, :2].mean(1, keepdims=True)
    way = (new[:, :, :2] - middle) @ lean.transpose(0, 2, 1)
    extent = np.sqrt((way**2).sum(2).mean(1))[:, None, None]
    new[:, :, :2] = middle + way + bend * extent + rng.normal(0, 0.02, way.shape) * size
    new[:, :, TIP_X : TIP_Y + 1] += rng.normal(0, 0.1, (n, 1, 2)) + rng.normal(0, 0.02, way.shape)
    for column, much in ((PINCH, 0.06), (OPEN, 0.1)):
        new[:, :, column] += rng.normal(0, much, (n, 1)) + rng.normal(0, 0.02, new.shape[:2])
    new[:, :, PINCH] = np.maximum(new[:, :, PINCH], 0.02)
    new[:, :, SIZE] *= np.exp(rng.normal(0, 0.02, new.shape[:2]))
    return new.astype(np.float32), lengths * np.exp(rng.uniform(-0.55, 0.55, n))


def _peaks(look: _Windows, likely: Floats) -> Floats:
    """The likelihoods of moments that look most like a motion, AGAIN s apart at least, rising."""
    found: list[float] = []
    for film in np.unique(look.film):
        here = look.film == film
        found += peaks(likely[here], look.end[here], LOWEST / 2)
    return np.sort(np.array(found, np.float32))


def _like(
    names: Sequence[str], known: Sequence[Film], look: _Windows, likely: Floats
) -> tuple[dict[str, tuple[str, float]], tuple[str, ...]]:
    """Of each own motion the bundled one that is taken for it most, with the share; and those whose
    place an own one takes: of the same name, or taken mostly.
    """
    shares: dict[str, list[Floats]] = {}
    for k, film in enumerate(known):
        for made in film.made:
            near = (look.film == k) & (look.end >= made.end - 0.1) & (look.end <= made.end + 0.4)
            if near.any():
                shares.setdefault(made.name, []).append(likely[near].max(0) > 0.5)
    like, replaced = {}, set(names) & set(shares)
    for k, name in enumerate(names):
        of = {other: float(np.mean([hit[k] for hit in hits])) for other, hits in shares.items()}
        most = max(of, key=lambda other: of[other], default=None)
        if most is not None and of[most] >= LIKE:
            like[name] = most, of[most]
        replaced |= {other for other, share in of.items() if share > SAME}
    return like, tuple(sorted(replaced))


def _of_motions(known: Sequence[Film], look: _Windows, names: Sequence[str]) -> NDArray[np.bool_]:
    """(N,) windows that hold one of these motions."""
    found = np.zeros(len(look.film), bool)
    for k, film in enumerate(known):
        for made in film.made:
            if made.name in names:
                found |= (look.film == k) & (look.end > made.start) & (look.end < made.end + 0.6)
    return found
