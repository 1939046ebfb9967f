"""From what a person showed to what recognises it: learnt in seconds beside the bundled gestures.

Of one hand: a network tells the bundled gestures, anything else, and the person's own apart. What
another person's hand does to a gesture that one has shown is lent from the bundled examples: to the
features of an own sample the difference of two bundled hands of one gesture is added. Of both
hands: another network reads the two and how they lie to one another; there is no bundled gesture of
both hands, so it tells the own ones from hands that do anything.

How sure it must be to show a gesture is chosen on parts that were kept apart: each half of an own
take, and of the bundled sources, is judged by a network that learnt from the other half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

import assets
from tracker.gestures.features import (
    Chosen,
    Hands,
    Values,
    features,
    hands_of,
    other_side,
    turned,
    varied,
)
from tracker.gestures.motions.learn import MotionCurve, Taught, learn_motions
from tracker.gestures.nearness import NearNetwork, near_network
from tracker.gestures.network import Network, train
from tracker.gestures.own import Gesture, Hand, Sample
from tracker.types import Floats

EXAMPLES = "gestures/examples.npz"
BETWEEN = 3000  # hands on the way from one bundled one to another
VARIED, PLAIN = 2000, 500  # rows of an own gesture: changed, and as it was shown,
BEHIND = 700  # and seen from the other side of the hand
LENT = 1.4  # of the difference of two bundled hands of a gesture, at most
ANY_TURN = 180.0  # degrees
PARTS = 4  # of a take: every second one is kept apart
LEAST = 30  # samples of a gesture
# Ends of the slider: so many of all hands that show something else are taken for the gesture.
LENIENT, STRICT = 1e-2, 2e-4
FLOORS = (0.3, 0.7)  # of thresholds at the ends of the slider: the bundled hands are not all hands
LOWEST, CEILING = 0.25, 0.98
GIVEN_UP = 0.05  # of the own samples at most, for the sake of what is not to be mistaken
# Hands that nobody named may show the very gesture: those that look like it teach nothing.
DOUBTFUL = 0.5
# Shares of a bundled gesture's hands that look like the own one: it is said, or they are the same.
LIKE, SAME = 0.2, 0.4
OTHER = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Examples of the bundled gestures, of many people."""

    hands: Hands
    name: NDArray[np.intp]  # (N,) into `names`
    source: NDArray[np.intp]  # (N,) numbers of where they are from
    names: tuple[str, ...]

    def some(self, chosen: NDArray[np.bool_]) -> Library:
        """A part of it."""
        return Library(self.hands[chosen], self.name[chosen], self.source[chosen], self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What a threshold of a gesture misses and mistakes, on what was kept apart."""

    own: Floats  # probabilities of own samples, rising
    others: Floats  # and of other hands

    def threshold(self, strictness: float) -> float:
        """From 0, never missed, to 1, never by mistake: from which probability on it is shown."""
        share = LENIENT * (STRICT / LENIENT) ** strictness
        found = float(np.quantile(self.others, 1 - share)) if len(self.others) else 0.5
        found = max(found, FLOORS[0] + strictness * (FLOORS[1] - FLOORS[0]))
        if len(self.own):  # in its lower half the slider never gives up what the person showed
            given_up = GIVEN_UP + (1 - GIVEN_UP) * max(2 * strictness - 1, 0)
            found = min(found, float(np.quantile(self.own, given_up)))
        return float(np.clip(found, LOWEST, CEILING))

    def missed(self, threshold: float) -> float:
        """The share of own samples that are not shown."""
        return float(np.mean(self.own < threshold)) if len(self.own) else 0.0

    def mistaken(self, threshold: float) -> float:
        """The share of other hands that are shown."""
        return float(np.mean(self.others >= threshold)) if len(self.others) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Recogniser:
    """Recognises the own gestures `one` of one hand and `both` of two; see `learn`."""

    one: tuple[Gesture, ...] = ()
    both: tuple[Gesture, ...] = ()
    of_one: NearNetwork | None = None
    of_both: Network | None = None
    curves: Mapping[str, Curve | MotionCurve] = field(default_factory=dict)
    # Bundled gestures of whose examples a good part is taken for the own one: it takes their place.
    like: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    moved: tuple[Gesture, ...] = ()  # motions, which `of_motion` tells
    of_motion: Taught | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of all that are held."""
        return tuple(g.name for g in (*self.one, *self.both))

    @property
    def every(self) -> tuple[Gesture, ...]:
        """All of them, motions last."""
        return (*self.one, *self.both, *self.moved)

    @property
    def thresholds(self) -> dict[str, float]:
        """From which probability on each is shown."""
        return {g.name: self.curves[g.name].threshold(g.strictness) for g in self.every}

    def as_strict(self, gestures: Sequence[Gesture]) -> Recogniser:
        """The same, each gesture as strict as it is among these: nothing is learnt for it."""
        strict = {gesture.name: gesture.strictness for gesture in gestures}
        one, both, moved = (
            tuple(replace(gesture, strictness=strict[gesture.name]) for gesture in known)
            for known in (self.one, self.both, self.moved)
        )
        motion = None if self.of_motion is None else self.of_motion.as_strict(moved)
        return replace(self, one=one, both=both, moved=moved, of_motion=motion)

    def told_of_one(self, hands: Hands) -> Floats:
        """(N, gestures of one hand) how likely each hand shows each."""
        if self.of_one is None:
            return np.zeros((len(hands), 0), np.float32)
        return self.of_one(features(hands))

    def told_of_both(self, left: Hands, right: Hands, between: Values) -> Floats:
        """(N, gestures of both) for pairs of hands; `between` as of `between_hands`."""
        if self.of_both is None:
            return np.zeros((len(left), 0), np.float32)
        return self.of_both(_pair_features(left, right, between))[:, -len(self.both) :]


def library() -> Library:
    """The bundled examples."""
    with np.load(assets.path(EXAMPLES), allow_pickle=False) as found:
        hands = Hands(found["xy"] / 256, found["xyz"] / 256)
        names = tuple(map(str, found["names"]))
        return Library(hands, found["name"].astype(int), found["source"].astype(int), names)


def learn(gestures: Sequence[Gesture], beside: Library | None = None, seed: int = 0) -> Recogniser:
    """What recognises these gestures. ValueError, in a sentence, where one has too few samples."""
    moved = tuple(g for g in gestures if g.is_motion)
    gestures = [g for g in gestures if not g.is_motion]
    for gesture in gestures:
        count = sum(map(len, gesture.takes))
        if count < LEAST:
            raise ValueError(
                f"{count} samples show {gesture.name!r} and {LEAST} are the least; show it for "
                "longer, where the camera sees the hand"
            )
    known = library() if beside is None and gestures else beside
    one = tuple(g for g in gestures if g.hands != "both")
    both = tuple(g for g in gestures if g.hands == "both")
    made = Recogniser(one, both)
    if one and known is not None:
        made = _learnt_one(made, known, seed)
    if both and known is not None:
        made = _learnt_both(made, known, seed)
    return _with_motions(made, moved, seed) if moved else made


def _with_motions(made: Recogniser, moved: tuple[Gesture, ...], seed: int) -> Recogniser:
    taught = learn_motions(moved, seed)
    curves, like = {**made.curves, **taught.curves}, {**made.like, **taught.like}
    return replace(made, moved=moved, of_motion=taught, curves=curves, like=like)


def hands_in(takes: Sequence[Sequence[Sample]]) -> Hands:
    """All hands of these takes."""
    return _right_ones([hand for take in takes for sample in take for hand in sample.hands])


def pairs_in(takes: Sequence[Sequence[Sample]]) -> tuple[Hands, Hands, Values]:
    """Left hands, right hands and how they lie, of the samples that have both."""
    pairs = [
        sorted(sample.hands, key=lambda hand: hand.side)
        for take in takes for sample in take if _is_pair(sample)
    ]  # fmt: skip
    left, right = ([pair[k] for pair in pairs] for k in (0, 1))
    xy = np.array([[pair[0].xy, pair[1].xy] for pair in pairs]).reshape(-1, 2, 21, 2)
    return _right_ones(left), _right_ones(right), between_hands(xy)


def _is_pair(sample: Sample) -> bool:
    return {hand.side for hand in sample.hands} == {"left", "right"}


def between_hands(xy: Values) -> Values:
    """(N, 3) of left and right hands (N, 2, 21, 2) in pixels: from the left one's middle to the
    right one's in hand sizes, x and y, and the logarithm of how much larger the right one is.
    """
    middle = xy.mean(2)
    size = np.sqrt(((xy - middle[:, :, None]) ** 2).sum(3).mean(2)).clip(1e-3)
    way = (middle[:, 1] - middle[:, 0]) / np.sqrt(size[:, 0] * size[:, 1])[:, None]
    return np.column_stack([way, np.log(size[:, 1] / size[:, 0])])


def _right_ones(hands: Sequence[Hand]) -> Hands:
    has_depth = all(hand.xyz is not None for hand in hands)
    xy = np.array([hand.xy for hand in hands]).reshape(-1, 21, 2)
    xyz = np.array([hand.xyz for hand in hands]).reshape(-1, 21, 3) if has_depth else None
    return hands_of(xy, xyz, [hand.side == "left" for hand in hands])


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows to learn from; the last classes are the own gestures."""

    features: Floats
    classes: NDArray[np.intp]


def _learnt_one(made: Recogniser, known: Library, seed: int) -> Recogniser:
    """With a network of one hand, and its curves."""
    own = [hands_in(g.takes) for g in made.one]
    others = hands_in([take for g in made.one for take in g.others])
    said, taken, aside = _judged_apart(made.one, own, known, others, seed)
    unnamed = known.name == (known.names.index(OTHER) if OTHER in known.names else -1)
    sure = ~(unnamed & (taken > DOUBTFUL).any(1))
    like, curves = {}, {}
    for k, gesture in enumerate(made.one):
        counts, found = ~unnamed, _like(taken[:, k] > DOUBTFUL, known)
        if found is not None:
            like[gesture.name] = found
        if found is not None and found[1] > SAME:  # it is that gesture, and takes its place
            same = known.name == known.names.index(found[0])
            sure, counts = sure & ~same, counts & ~same
        curves[gesture.name] = _curve(said[k], [taken[counts, k], aside[:, k]])
    rows = _rows_of_one(made.one, own, known.some(sure), others, seed)
    network = near_network(rows.features, rows.classes, len(own), seed)
    return replace(made, of_one=network, curves={**made.curves, **curves}, like=like)


def _judged_apart(
    gestures: Sequence[Gesture], own: Sequence[Hands], known: Library, others: Hands, seed: int
) -> tuple[list[list[Floats]], Floats, Floats]:
    """How likely each is an own gesture by a network that learnt from other parts and sources.

    Of the own samples, each of its own gesture; of the bundled hands (N, gestures); of what was
    shown as anything else, and of hands on the way from one to another (M, gestures).
    """
    part = [_parts(g.takes) for g in gestures]
    part_of_others = np.arange(len(others)) * PARTS // max(len(others), 1) % 2
    said: list[list[Floats]] = [[] for _ in own]
    taken = np.zeros((len(known.hands), len(own)), np.float32)
    aside = np.zeros((len(others), len(own)), np.float32)
    moving: list[Floats] = []
    for half in (0, 1):
        kept = [hands[p % 2 != half] for hands, p in zip(own, part, strict=True)]
        rest, less = known.source % 2 != half, part_of_others != half
        rows = _rows_of_one(gestures, kept, known.some(rest), others[less], seed + half)
        network = near_network(rows.features, rows.classes, len(own), seed + half)
        taken[~rest] = network(features(known.hands[~rest]))
        aside[~less] = network(features(others[~less]))
        way = on_the_way(known.hands[~rest], BETWEEN, np.random.default_rng(seed + 2 + half))
        moving.append(network(features(way)))
        for k, hands in enumerate(own):
            said[k].append(network(features(hands[part[k] % 2 == half]))[:, k])
    return said, taken, np.concatenate([aside, *moving])


def on_the_way(hands: Hands, count: int, rng: np.random.Generator) -> Hands:
    """Hands on the way from one to another, as they are while somebody moves."""
    a, b = (hands[rng.integers(len(hands), size=count)] for _ in range(2))
    share = rng.uniform(0.15, 0.85, (count, 1, 1))
    xy, xyz = ((1 - share) * p + share * q for p, q in ((a.xy, b.xy), (a.xyz, b.xyz)))
    return hands_of(xy, xyz, np.zeros(count, bool))


def _rows_of_one(
    gestures: Sequence[Gesture], own: Sequence[Hands], known: Library, others: Hands, seed: int
) -> _Rows:
    """The bundled hands, what the person showed as anything else, and the own gestures."""
    rng = np.random.default_rng(seed)
    bundled, first = features(known.hands), len(known.names)
    # Varied like the own ones, or the network would learn to tell who was varied.
    other = known.names.index(OTHER) if OTHER in known.names else 0
    between = features(on_the_way(known.hands, BETWEEN, rng))
    rows = [bundled, features(varied(known.hands, rng, 15.0, 15.0)), between]
    classes = [known.name, known.name, np.full(BETWEEN, other)]
    if len(others):
        more = others[rng.integers(len(others), size=max(VARIED // 2, len(others)))]
        rows.append(np.concatenate([features(others), features(varied(more, rng, 20, 20))]))
        classes.append(np.full(len(rows[-1]), other))
    for k, (gesture, hands) in enumerate(zip(gestures, own, strict=True)):
        more = hands[rng.integers(len(hands), size=VARIED)]
        roll = ANY_TURN if gesture.any_turn else 45.0
        lent = features(varied(more, rng, roll)) + _differences(bundled, known, VARIED, rng)
        plain = features(hands[rng.integers(len(hands), size=PLAIN)])
        # Others show it with the other side of the hand: of all pictures of other people that were
        # missed, nearly all did (docs/measured.md).
        behind = varied(other_side(hands[rng.integers(len(hands), size=BEHIND)]), rng, roll)
        far = features(behind) + _differences(bundled, known, BEHIND, rng)
        rows += [plain, lent, far]
        classes.append(np.full(PLAIN + VARIED + BEHIND, first + k))
        if not gesture.any_turn:
            rows.append(features(turned(more, _far_turns(len(more), rng))))
            classes.append(np.full(len(more), other))
    return _Rows(np.concatenate(rows), np.concatenate(classes))


def _far_turns(count: int, rng: np.random.Generator) -> Values:
    """(count,) angles by which a gesture that is held one way is another one, radians."""
    return np.deg2rad(rng.uniform(110, 250, count))


def _differences(bundled: Floats, known: Library, count: int, rng: np.random.Generator) -> Floats:
    """(count, F) what tells two bundled hands of one gesture apart, by up to `LENT` of it."""
    named = [i for i, name in enumerate(known.names) if name not in (OTHER, "none")]
    of = [found for i in named if len(found := np.flatnonzero(known.name == i)) > 1]
    if not of:
        return np.zeros((count, bundled.shape[1]), np.float32)
    group = rng.integers(len(of), size=count)
    a, b = (
        np.array([of[g][i] for g, i in zip(group, rng.integers(1 << 30, size=count) % [
            len(of[g]) for g in group], strict=True)])
        for _ in range(2)
    )  # fmt: skip
    much = LENT / np.sqrt(2) * np.sqrt(rng.uniform(0, 1, (count, 1)))
    return np.asarray(much * (bundled[a] - bundled[b]), np.float32)


def _learnt_both(made: Recogniser, known: Library, seed: int) -> Recogniser:
    """With a network of both hands, and its curves."""
    own = [pairs_in(g.takes) for g in made.both]
    part = [
        _parts([[s for s in take if _is_pair(s)] for take in g.takes], False) for g in made.both
    ]
    for g, pairs in zip(made.both, own, strict=True):
        if len(pairs[0]) < LEAST:
            raise ValueError(
                f"{len(pairs[0])} samples show both hands of {g.name!r} and {LEAST} are the least; "
                "show it where the camera sees both, or choose one hand"
            )
    others = pairs_in([take for g in made.both for take in g.others])
    said: list[list[Floats]] = [[] for _ in own]
    wrong: list[list[Floats]] = [[] for _ in own]
    for half in (0, 1):
        kept = [_some(pairs, p % 2 != half) for pairs, p in zip(own, part, strict=True)]
        apart = [_some(pairs, p % 2 == half) for pairs, p in zip(own, part, strict=True)]
        rest = known.source % 2 != half
        rows = _rows_of_both(made.both, kept, known.hands[rest], others, seed + half)
        network = train(rows.features, rows.classes, seed + half)
        no = network(_any_pairs(known.hands[~rest], np.random.default_rng(seed + 7)))
        for k, pairs in enumerate(apart):
            said[k].append(network(_pair_features(*pairs))[:, 1 + k])
            wrong[k].append(no[:, 1 + k])
    rows = _rows_of_both(made.both, own, known.hands, others, seed)
    network = train(rows.features, rows.classes, seed)
    curves = {g.name: _curve(said[k], wrong[k]) for k, g in enumerate(made.both)}
    return replace(made, of_both=network, curves={**made.curves, **curves})


Pairs = tuple[Hands, Hands, Values]


def _rows_of_both(
    gestures: Sequence[Gesture], own: Sequence[Pairs], known: Hands, others: Pairs, seed: int
) -> _Rows:
    """Pairs that do anything: class 0; then the own gestures."""
    rng = np.random.default_rng(seed)
    rows = [_strange(own, known, others, rng)]
    classes = [np.zeros(len(rows[0]), int)]
    for k, (gesture, pairs) in enumerate(zip(gestures, own, strict=True)):
        i = rng.integers(len(pairs[0]), size=VARIED)
        roll = ANY_TURN if gesture.any_turn else 30.0
        left, right = (varied(hands[i], rng, roll, 30.0) for hands in pairs[:2])
        near = pairs[2][i] + rng.normal(0, (0.3, 0.3, 0.1), (VARIED, 3))
        plain = _some(pairs, rng.integers(len(pairs[0]), size=PLAIN))
        rows += [_pair_features(*plain), _pair_features(left, right, near)]
        classes.append(np.full(PLAIN + VARIED, 1 + k))
    return _Rows(np.concatenate(rows), np.concatenate(classes))


def _strange(own: Sequence[Pairs], known: Hands, others: Pairs, rng: np.random.Generator) -> Floats:
    """Features of pairs that are no own gesture: any two hands; one hand right and the other not;
    both right, but elsewhere; what the person showed as anything else.
    """

    def like_own(hands: Hands) -> Hands:
        # Varied like the own ones, or the network would learn to tell who was varied.
        half = len(hands) // 2
        return Hands.together([hands[:half], varied(hands[half:], rng, 30.0, 30.0)])

    def any_hand(count: int) -> Hands:
        return like_own(known[rng.integers(len(known), size=count)])

    n = VARIED
    rows = [_any_pairs(known, rng)]
    for left, right, between in own:
        i, j, k = (rng.integers(len(left), size=n // 2) for _ in range(3))
        rows += [
            _pair_features(like_own(left[i]), any_hand(n // 2), between[i]),
            _pair_features(any_hand(n // 2), like_own(right[j]), between[j]),
        ]
        far = _anywhere(n // 2, rng)
        is_far = np.linalg.norm((far - between[k])[:, :2], axis=1) > 1.5
        a, b = like_own(left[k][is_far]), like_own(right[k][is_far])
        rows.append(_pair_features(a, b, far[is_far]))
    if len(others[0]):
        rows.append(np.repeat(_pair_features(*others), max(n // len(others[0]), 1), axis=0))
    return np.concatenate(rows)


def _any_pairs(known: Hands, rng: np.random.Generator) -> Floats:
    """Features of any two hands anywhere, half of them as they are."""
    left, right = (known[rng.integers(len(known), size=2 * VARIED)] for _ in range(2))
    plain = _pair_features(left, right, _anywhere(2 * VARIED, rng))
    a, b = (varied(hands[:VARIED], rng, 30.0, 30.0) for hands in (left, right))
    return np.concatenate([plain[VARIED:], _pair_features(a, b, _anywhere(VARIED, rng))])


def _anywhere(count: int, rng: np.random.Generator) -> Values:
    """(count, 3) as of `between_hands`: the right hand mostly right of the left one."""
    return rng.normal((3.0, 0.0, 0.0), (4.0, 3.0, 0.4), (count, 3))


def _pair_features(left: Hands, right: Hands, between: Values) -> Floats:
    """(N, 105): of the left hand, of the right one, and of how they lie."""
    near = np.clip(between, -12, 12)
    parts = [features(left), features(right), near.astype(np.float32)]
    return np.concatenate(parts, axis=1)


def _some(pairs: Pairs, chosen: Chosen) -> Pairs:
    return pairs[0][chosen], pairs[1][chosen], pairs[2][chosen]


def _parts(takes: Sequence[Sequence[Sample]], each: bool = True) -> NDArray[np.intp]:
    """Of each hand of these takes in order (not `each`: of each sample): in which of the take's
    `PARTS` parts it is.
    """
    found = [
        np.full(len(sample.hands) if each else 1, i * PARTS // len(take))
        for take in takes for i, sample in enumerate(take)
    ]  # fmt: skip
    return np.concatenate([np.zeros(0, int), *found]).astype(int)


def _curve(own: Sequence[Floats], others: Sequence[Floats]) -> Curve:
    return Curve(np.sort(np.concatenate(own)), np.sort(np.concatenate(others)))


def _like(taken: NDArray[np.bool_], known: Library) -> tuple[str, float] | None:
    """The bundled gesture of whose hands most are taken, and how many; None: hardly any are."""
    shares = {
        name: float(taken[known.name == i].mean())
        for i, name in enumerate(known.names)
        if name not in (OTHER, "none") and (known.name == i).any()
    }
    worst = max(shares, key=lambda name: shares[name], default=None)
    return None if worst is None or shares[worst] < LIKE else (worst, shares[worst])
