"""What a rule waits for: from words such as `thumb_up`, `head left 20` or `mouth open` to readings.

A reading says how near a condition is to holding, so that the panel can show it, and whether it
holds. Where the hand is unsure it says neither: time stands still for the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from tracker.actions import measures
from tracker.find.expressions import EXPRESSIONS
from tracker.find.model_file import ModelInfo
from tracker.follow.gesture import NONE
from tracker.result import Result
from tracker.types import Kind, Track

Hand = Literal["left", "right", "any"]
KEEPS = 0.8  # what has begun to hold holds on down to this level
UNSURE = 0.5  # a track of less presence is unsure
SIDE_SURE = 0.7  # a hand must be this probably the left or right one that a rule asks for


@dataclass(frozen=True, slots=True)
class Reading:
    """`level` in [0, 1], 1 where it holds; `holds` None: unsure."""

    level: float
    holds: bool | None
    happened: bool = False  # a motion, in this one frame: there is nothing to be held


Level = Callable[[Track], float | None]  # of one track, 1 and above: it holds; None: cannot tell


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One condition. Without `level` it is about being there (`found`) or not (`lost`)."""

    text: str
    kind: Kind
    level: Level | None = None
    gesture: str | None = None
    is_lost: bool = False
    attribute: str | None = None  # the class of the model's attributes that `level` reads

    @property
    def needs(self) -> str | None:
        """What the models in use must tell, as `told_by` writes it; None: landmarks are enough."""
        return self.gesture if self.attribute is None else f"{self.kind} {self.attribute}"

    def read(self, result: Result, hand: Hand, sure: float, held: bool) -> Reading:
        """Of this frame. `sure`: probability that a gesture must have; `held`: held before."""
        tracks = matching(result, self.kind, hand)
        if self.gesture is None and self.level is None:
            there = any(track.presence >= UNSURE for track in tracks)
            if tracks and not there:
                return Reading(0.0, None)
            holds = there != self.is_lost
            return Reading(float(holds), holds)
        readings = [self._of_track(track, sure, held) for track in tracks]
        if not readings:
            return Reading(0.0, False)
        return max(readings, key=lambda r: (r.happened, r.holds is True, r.holds is None, r.level))

    def _of_track(self, track: Track, sure: float, held: bool) -> Reading:
        if track.presence < UNSURE:
            return Reading(0.0, None)
        if self.gesture is not None:
            if track.happened is not None and track.happened.name == self.gesture:
                return Reading(1.0, True, happened=True)
            p = dict(track.gestures).get(self.gesture, 0.0)
            holds = track.gesture == self.gesture and p >= (KEEPS * sure if held else sure)
            return Reading(1.0 if holds else min(p / sure, 0.99), holds)
        assert self.level is not None
        level = self.level(track)
        if level is None:
            return Reading(0.0, None)
        holds = level >= (KEEPS if held else 1.0)
        return Reading(1.0 if holds else max(level, 0.0), holds)


def matching(result: Result, kind: Kind, hand: Hand) -> list[Track]:
    """The tracks of this kind; of hands those that are surely the asked one."""
    return [
        t
        for t in result.tracks
        if t.kind == kind
        and (kind != "hand" or hand == "any" or (t.side == hand and t.side_p >= SIDE_SURE))
    ]


def _rising(read: Callable[[Track], float | None], rest: float, on: float) -> Level:
    """0 at `rest`, 1 at `on`, on a straight line; `on` may lie below `rest`."""

    def level(track: Track) -> float | None:
        value = read(track)
        return None if value is None else (value - rest) / (on - rest)

    return level


def _negative(read: Callable[[Track], float | None]) -> Callable[[Track], float | None]:
    def negated(track: Track) -> float | None:
        value = read(track)
        return None if value is None else -value

    return negated


def _angle(read: Callable[[Track], float | None]) -> Callable[[str, float], Condition]:
    return lambda text, n: Condition(text, "face", _rising(read, 0.0, n))


# Words, the number that may follow them: usual, least and most, and what they make.
Words = tuple[tuple[float, float, float] | None, Callable[[str, float], Condition]]
DEGREES, TILT = (20.0, 5.0, 60.0), (20.0, 5.0, 45.0)
CONDITIONS: Mapping[str, Words] = {
    "lost": (None, lambda text, n: Condition(text, "hand", is_lost=True)),
    "found": (None, lambda text, n: Condition(text, "hand")),
    "face lost": (None, lambda text, n: Condition(text, "face", is_lost=True)),
    "face found": (None, lambda text, n: Condition(text, "face")),
    "head left": (DEGREES, _angle(measures.head_left)),
    "head right": (DEGREES, _angle(_negative(measures.head_left))),
    "head up": (DEGREES, _angle(measures.head_up)),
    "head down": (DEGREES, _angle(_negative(measures.head_up))),
    "tilt left": (TILT, _angle(measures.tilt_left)),
    "tilt right": (TILT, _angle(_negative(measures.tilt_left))),
    "pinch": (
        (0.25, 0.05, 0.8),
        lambda text, n: Condition(text, "hand", _rising(measures.pinch, 1.0, n)),
    ),
    "mouth open": (
        (0.4, 0.1, 1.5),
        lambda text, n: Condition(text, "face", _rising(measures.mouth, 0.0, n)),
    ),
    "smile": (
        (0.4, 0.1, 1.0),
        lambda text, n: Condition(text, "face", _rising(measures.smile, 0.0, n)),
    ),
    "brows up": (
        (0.3, 0.1, 1.0),
        lambda text, n: Condition(text, "face", _rising(measures.brows, -0.2, n)),
    ),
    "eyes shut": (
        (0.2, 0.05, 0.8),
        lambda text, n: Condition(text, "face", _rising(measures.eyes, 1.0, n)),
    ),
}
USUAL, LEAST, MOST = 0.5, 0.05, 1.0  # value from which a class of an attribute holds
# What begins with one of these is no gesture of two words.
BEGINNINGS = frozenset({words.split()[0] for words in CONDITIONS} | set(get_args(Kind)))


def condition(text: str) -> Condition:
    """From words; what is none of `CONDITIONS`, nor begins like one, is a gesture. ValueError if
    neither.

    A kind and a word, as in `face jawOpen 0.4`, is a class of any other attribute of its model.
    Whether a model knows it is told by `unknown_words`.
    """
    words = " ".join(text.split())
    found = re.fullmatch(r"([^\W\d][\w -]*?)(?: (-?\d+(?:\.\d+)?))?", words)
    if found is None:
        raise ValueError(f"{text!r} is no condition; write a gesture, or {', '.join(CONDITIONS)}")
    name, number = found[1], found[2]
    if name in CONDITIONS:
        span, make = CONDITIONS[name]
        if number is not None and span is None:
            raise ValueError(f"{name!r} takes no number; write it alone")
        usual, least, most = span or (0.0, 0.0, 0.0)
        value = usual if number is None else float(number)
        if not least <= value <= most:
            raise ValueError(f"{value:g} of {name!r} is out of range; write {least:g} to {most:g}")
        return make(words, value)
    kind, _, attribute = name.partition(" ")
    if kind in get_args(Kind) and attribute and " " not in attribute:
        return _of_attribute(words, cast(Kind, kind), attribute, number)
    if number is not None or (" " in name and name.split()[0] in BEGINNINGS):
        raise ValueError(f"{text!r} is no condition; write a gesture, or {', '.join(CONDITIONS)}")
    if name == NONE:
        raise ValueError("'none' is what is shown between gestures; write 'lost' or a gesture")
    return Condition(words, "hand", gesture=name)


def _of_attribute(text: str, kind: Kind, name: str, number: str | None) -> Condition:
    value = USUAL if number is None else float(number)
    if not LEAST <= value <= MOST:
        raise ValueError(f"{value:g} of {name!r} is out of range; write {LEAST:g} to {MOST:g}")
    level = _rising(measures.attribute(name), 0.0, value)
    return Condition(text, kind, level, attribute=name)


def told_by(models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """What these models tell: gestures and motions, and `KIND CLASS` of every other attribute."""
    return tuple(
        name if attribute.name in ("gesture", "motion") else f"{model.kind} {name}"
        for model in models
        for attribute in model.attributes
        if attribute.name != "side"
        for name in attribute.parts
        if name != EXPRESSIONS[0]
    )


def unknown_words(conditions: Sequence[Condition], known: Sequence[str]) -> list[str]:
    """Gestures and classes of attributes that no model at hand can tell."""
    asked = [c.needs for c in conditions if c.needs is not None]
    return [name for name in dict.fromkeys(asked) if name not in known]
