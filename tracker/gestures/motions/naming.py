"""Motions on tracks: what each hand of a stream has just done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracker.gestures.features import POINTS
from tracker.gestures.motions.spotting import FACED, Happenings, Spotter, ended, is_resting
from tracker.gestures.motions.windows import LEAD, LENGTHS, Path, Values, marks_of
from tracker.types import Motion, Side, Track

MARKS = 7  # numbers of a path's frame
KEPT = LENGTHS[-1] + LEAD + 0.1  # s of a hand's path
SHOWN = 1.0  # s for which a motion is said after it happened
FORGET = 0.6  # s after which a hand that was not seen begins anew
NEAR = 5.0  # palm lengths within which a hand of a new number goes on where another ended


class _Trail:
    """The last KEPT seconds of a hand, in arrays that are read where they lie."""

    def __init__(self) -> None:
        """Empty."""
        self._t, self._marks = np.empty(0), np.empty((0, MARKS))
        self._first = self._end = 0

    def add(self, t: float, marks: Values) -> None:
        """Marks (7,) at time t."""
        while self._first < self._end and t - self._t[self._first] > KEPT:
            self._first += 1
        if self._end == len(self._t):  # others, of twice what is kept: paths that were read stay
            kept, count = slice(self._first, self._end), self._end - self._first
            t_of, marks_of_it = np.empty(2 * count + 64), np.empty((2 * count + 64, MARKS))
            t_of[:count], marks_of_it[:count] = self._t[kept], self._marks[kept]
            self._t, self._marks, self._first, self._end = t_of, marks_of_it, 0, count
        self._t[self._end], self._marks[self._end] = t, marks
        self._end += 1

    @property
    def path(self) -> Path:
        """All of it."""
        kept = slice(self._first, self._end)
        return Path(self._t[kept], self._marks[kept])

    @property
    def last(self) -> tuple[float, Values]:
        """When it was seen last, and its marks (7,) then."""
        return float(self._t[self._end - 1]), self._marks[self._end - 1]


@dataclass(slots=True, eq=False)
class _Hand:
    """What is kept of one hand."""

    happenings: tuple[Happenings, ...]
    side: Side | None
    trail: _Trail = field(default_factory=_Trail)
    last: Motion | None = None
    at: float = 0.0  # when that happened


class MotionNames:
    """Tells the motions of one stream, by several spotters: the bundled one, a person's own."""

    def __init__(self, spotters: Sequence[Spotter], facing: bool = True) -> None:
        """Nothing was seen yet. `facing`: see `TrackerConfig`. The first spotter is the bundled
        one, whose left and right that changes; a person's own motions are as the camera saw them.
        """
        self._spotters = tuple(spotters)
        self._other_names = {} if facing else FACED
        self._hands: dict[int, _Hand] = {}

    def reset(self) -> None:
        """Forget the past."""
        self._hands = {}

    def named(self, tracks: Sequence[Track], t: float) -> list[Track]:
        """The tracks of a frame of time t, hands with the motion that they made last."""
        self._hands = {k: h for k, h in self._hands.items() if t - h.trail.last[0] <= FORGET}
        found = []
        for track in tracks:
            is_hand = track.kind == "hand" and track.xy_raw.shape == (POINTS, 2)
            if is_hand and np.isfinite(track.xy_raw).all():
                motion = self._of(track, t, tracks)
                track = track if motion is None else replace(track, motion=motion)
            found.append(track)
        return found

    def _of(self, track: Track, t: float, tracks: Sequence[Track]) -> Motion | None:
        marks = marks_of(track.xy_raw)
        hand = self._hands.get(track.id) or self._going_on(track, marks, tracks)
        self._hands[track.id] = hand
        hand.side = track.side
        hand.trail.add(t, marks)
        path = hand.trail.path
        if not is_resting(path):
            windows = ended(path, [t])  # the same for all spotters
            # The later spotters are the person's own; theirs is said where both tell one.
            for spotter, happenings in zip(self._spotters, hand.happenings, strict=True):
                likely = spotter.judged(windows)[0]
                for name, side in spotter.sides.items():
                    if side != track.side:
                        likely[spotter.names.index(name)] = 0
                happened = happenings.take(likely, t)
                if happened is not None:
                    name, p = happened
                    if spotter is self._spotters[0]:
                        name = self._other_names.get(name, name)
                    hand.last, hand.at = Motion(name, p, 0.0), t
        if hand.last is None or t - hand.at > SHOWN:
            return None
        return replace(hand.last, age=t - hand.at)

    def _going_on(self, track: Track, marks: Values, tracks: Sequence[Track]) -> _Hand:
        """A hand that was lost while it moved and found again under another number is the same."""
        seen = {other.id for other in tracks}
        for key, hand in list(self._hands.items()):
            if key in seen or hand.side not in (track.side, None):
                continue
            last = hand.trail.last[1]
            if np.linalg.norm(marks[:2] - last[:2]) <= NEAR * max(marks[2], last[2]):
                return self._hands.pop(key)
        return _Hand(tuple(Happenings(s.names, s.thresholds) for s in self._spotters), track.side)
