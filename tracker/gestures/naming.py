"""A person's own gestures on tracks: one that is surely shown takes the bundled one's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from tracker.errors import UserError
from tracker.follow.gesture import NONE, GestureConfig, GestureFilter
from tracker.gestures.features import POINTS, Hands, hands_of
from tracker.gestures.motions.library import bundled
from tracker.gestures.motions.naming import MotionNames
from tracker.gestures.own import Gesture, Hand, Sample, read_own
from tracker.gestures.recogniser import Recogniser, between_hands, learn
from tracker.types import Floats, Side, Track

# Evidence of this long is put together, s; the mean score below which landmarks are not believed is
# that of bundled gestures.
STEADY = GestureConfig(span=0.45, stay=0.3)
FORGET = 1.0  # s after which a hand that was not seen begins anew


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a hand: the gesture that is shown, and how likely each is."""

    name: str
    p: float
    every: Mapping[str, float]


class OwnNames:
    """Names the own gestures of one stream."""

    def __init__(self, recogniser: Recogniser) -> None:
        """Nothing was seen yet."""
        self._recogniser, self._points = recogniser, recogniser.thresholds
        self._filters: dict[object, tuple[GestureFilter, float]] = {}

    def reset(self) -> None:
        """Forget the past."""
        self._filters = {}

    def named(self, tracks: Sequence[Track], t: float) -> list[Track]:
        """The tracks of a frame of time t, with own gestures; other kinds as they are.

        `Track.gestures` gets every own gesture with its probability after the bundled ones.
        """
        hands = [track for track in tracks if is_readable(track)]
        told = {track.id: self._one(track, t) for track in hands}
        pair = pair_of(hands)
        if pair is not None and self._recogniser.both:
            both = self._both(pair, t)
            told |= {track.id: _stronger(told[track.id], both) for track in pair}
        self._filters = {k: f for k, f in self._filters.items() if t - f[1] <= FORGET}
        return [
            track if track.kind != "hand" else _with(track, told.get(track.id), self._recogniser)
            for track in tracks
        ]

    def _one(self, track: Track, t: float) -> _Told:
        gestures = self._recogniser.one
        if not gestures:
            return _Told(NONE, 0.0, {})
        p = self._recogniser.told_of_one(hands_from([track]))[0].copy()
        for k, gesture in enumerate(gestures):
            if gesture.hands not in ("either", track.side):
                p[k] = 0.0
        return self._steady(track.id, gestures, p, t, float(track.score.mean()))

    def _both(self, pair: tuple[Track, Track], t: float) -> _Told:
        left, right = pair
        xy = np.array([[left.xy_raw, right.xy_raw]], np.float64)
        p = self._recogniser.told_of_both(
            hands_from([left]), hands_from([right]), between_hands(xy)
        )[0]
        score = min(float(track.score.mean()) for track in pair)
        return self._steady((left.id, right.id), self._recogniser.both, p, t, score)

    def _steady(
        self, who: object, gestures: Sequence[Gesture], p: Floats, t: float, score: float
    ) -> _Told:
        names = tuple(gesture.name for gesture in gestures)
        found = self._filters.get(who)
        steady = found[0] if found else GestureFilter(names, STEADY, self._points)
        self._filters[who] = steady, t
        shown, sure = steady.update(p, t, score)
        return _Told(shown, sure if shown != NONE else 0.0, dict(steady.probabilities()))


def _stronger(a: _Told, b: _Told) -> _Told:
    """Both hands' gesture beside that of one hand: the likelier one is shown."""
    first, second = (b, a) if b.p >= a.p else (a, b)
    return _Told(first.name, first.p, {**second.every, **first.every})


def _with(track: Track, told: _Told | None, recogniser: Recogniser) -> Track:
    every = {} if told is None else told.every
    own = tuple((name, float(every.get(name, 0.0))) for name in recogniser.names)
    gestures = (*(pair for pair in track.gestures if pair[0] not in recogniser.names), *own)
    if told is None or told.name == NONE:
        return replace(track, gesture=track.gesture or NONE, gestures=gestures)
    return replace(track, gesture=told.name, gesture_p=told.p, gestures=gestures)


def is_readable(track: Track) -> bool:
    """Is it a hand of the usual landmarks, all of them somewhere?"""
    return (
        track.kind == "hand"
        and track.xy_raw.shape == (POINTS, 2)
        and bool(np.isfinite(track.xy_raw).all())
        and (track.xyz is None or bool(np.isfinite(track.xyz).all()))
    )


def pair_of(hands: Sequence[Track]) -> tuple[Track, Track] | None:
    """The left and the right hand, the oldest of each; None where one is not seen."""
    left, right = (
        next((track for track in hands if track.side == side), None) for side in ("left", "right")
    )
    return None if left is None or right is None else (left, right)


def hands_from(tracks: Sequence[Track]) -> Hands:
    """Readable tracks, as they are compared."""
    xyz = [track.xyz for track in tracks]
    has_depth = all(one is not None for one in xyz)
    return hands_of(
        [track.xy_raw for track in tracks],
        np.array(xyz) if has_depth else None,
        [track.side == "left" for track in tracks],
    )


def sample_of(tracks: Sequence[Track], t: float, both: bool, every: bool = False) -> list[Sample]:
    """What a frame shows of a gesture that is being taught: one sample, or none.

    Of one hand: the higher one where two are seen (`every`: a sample of each, for 'anything else').
    """
    hands = [track for track in tracks if is_readable(track)]
    if both:
        pair = pair_of(hands)
        return [] if pair is None else [Sample(t, tuple(map(hand_of, pair)))]
    hands.sort(key=lambda track: float(track.xy_raw[:, 1].mean()))
    return [Sample(t, (hand_of(track),)) for track in (hands if every else hands[:1])]


def hand_of(track: Track) -> Hand:
    """A readable track as it is kept."""
    side: Side = track.side or "right"
    xyz = None if track.xyz is None else np.asarray(track.xyz, np.float64)
    return Hand(side, np.asarray(track.xy_raw, np.float64), xyz)


def own_names(path: Path) -> OwnNames | None:
    """What names the gestures of a file; None where it holds none. UserError as `read_own`."""
    recogniser = recogniser_of(path)
    return None if recogniser is None or not recogniser.names else OwnNames(recogniser)


def motion_names(path: Path | None, facing: bool = True) -> MotionNames:
    """What tells the bundled motions and those of a file. UserError as `read_own`."""
    own = None if path is None else recogniser_of(path)
    taught = None if own is None else own.of_motion
    if taught is None:
        return MotionNames([bundled()], facing)
    return MotionNames([bundled().without(taught.replaced), taught.spotter], facing)


def recogniser_of(path: Path) -> Recogniser | None:
    """What recognises the gestures of a file; None where it holds none. UserError as `read_own`."""
    try:
        written = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror}; check the file") from error
    recogniser = _learnt(path, written.st_mtime_ns, written.st_size)
    return recogniser if recogniser.every else None


@lru_cache(maxsize=4)
def _learnt(path: Path, written: int, size: int) -> Recogniser:
    """Read once for each state of a file."""
    own = read_own(path)
    try:
        return _learnt_from(_Shown(own.digest, own.gestures)).as_strict(own.gestures)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Shown:
    """What was shown, whatever its strictness: that of two with the same digest is the same."""

    digest: str
    gestures: tuple[Gesture, ...] = field(compare=False)


@lru_cache(maxsize=4)
def _learnt_from(shown: _Shown) -> Recogniser:
    """Learnt once for all positions of the slider."""
    return learn(shown.gestures)
