"""People who move their hands, composed: no film of motions may be used here, so they are made up.

A person is a draw of habits: how far, fast and bent the strokes are, how the wrist goes along, how
much the hand trembles, how it rests between. Hands have the shapes of real ones (landmarks of the
bundled examples, other sources for other groups of people). What they do is a row of segments,
some of which are motions with their times; the rest is natural movement: reaching, fidgeting,
beats of talking, typing, other poses, strokes askew, half circles, a hand that comes and goes.
Lengths are palm lengths, x to the picture's right, y down; directions are as the person sees
them in a mirror, which is how `path_of` with `mirrored=False` reads these landmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracker.gestures.recogniser import Library

Values = NDArray[np.float64]
IDLE = 1000  # number of the film in which a person makes no motion
SLOW = 0.35  # of swipes, however quick the person is else
BASE = 240.0  # steps a second in which movements are made, before a camera looks at them
WAYS: Mapping[str, tuple[float, float]] = {
    "swipe_left": (-1, 0), "swipe_right": (1, 0), "swipe_up": (0, -1), "swipe_down": (0, 1),
}  # fmt: skip
MOTIONS = (*WAYS, "wave", "circle", "pinch_pull")
POSES = ("open_palm", "open_palm", "open_palm", "four", "point", "victory", "fist", "other", "none")
CLOSED = ("pinch", "ok")


@dataclass(frozen=True, slots=True)
class Person:
    """Habits; speeds and sizes multiply what is usual."""

    seed: int
    size: float  # of strokes
    speed: float
    bow: float  # of a stroke, share of its length, either way
    flick: float  # by how much the hand turns along with a stroke, radians
    lean: float  # by how much 'left' is not quite left, radians
    tremor: float  # palm lengths
    noise: float  # of landmarks, palm lengths
    lag: float  # share of the frame before in a frame's landmarks: blur, smoothing
    wrist: float  # share of a wave that the wrist makes
    pause: float  # s of rest around motions
    skew: float  # 0: strokes are symmetric in time; more: quick first, or (a third) quick at last
    fps: float


def person(seed: int, other: bool = False) -> Person:
    """One of many. `other`: of another kind than those that are learnt from: lognormal strokes."""
    rng = np.random.default_rng((seed, int(other)))
    u = rng.uniform
    return Person(
        seed, size=u(0.75, 1.35), speed=float(np.exp(u(np.log(0.5), np.log(2.0)))),
        bow=abs(rng.normal(0, 0.12)), flick=max(u(-0.7, 0.7), u(-0.1, 0.1)),
        lean=rng.normal(0, 0.13), tremor=u(0.002, 0.02), noise=u(0.01, 0.05),
        lag=u(0, 0.45), wrist=u(0, 1), pause=u(0.15, 0.7), skew=u(1.0, 2.5) if other else u(0, 1.4),
        fps=float(rng.choice([15, 20, 24, 25, 30, 30, 50, 60])),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Done:
    """A motion that somebody made."""

    name: str
    start: float  # s
    end: float
    once: float  # s that it takes once: a turn of a circle, two times there and back of a wave


@dataclass(slots=True, eq=False)
class Film:
    """What is made up so far, in steps of 1 / BASE s."""

    xy: list[Values] = field(default_factory=list)  # (n, 2) of the hand's middle
    angle: list[Values] = field(default_factory=list)  # (n,) of the hand, radians, clockwise
    size: list[Values] = field(default_factory=list)  # (n,) of the hand in the picture, logarithm
    pose: list[Values] = field(default_factory=list)  # (n, 2) numbers of two poses,
    share: list[Values] = field(default_factory=list)  # (n,) and how much it is the second
    done: list[Done] = field(default_factory=list)  # motions
    count: int = 0

    @property
    def t(self) -> float:
        """How long it is, s."""
        return self.count / BASE


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What a tracker would say of it."""

    t: Values  # (F,)
    xy: Values  # (F, 21, 2) pixels
    done: tuple[Done, ...]
    seconds: float
    is_mirrored: bool = False  # x is as the person sees it, and not as a camera that faces them


class Actor:
    """A person in front of a camera."""

    def __init__(self, who: Person, hands: Library, film_seed: int = 0) -> None:
        """`hands`: whose shapes may be shown."""
        self.who, self.film = who, Film()
        self.rng = np.random.default_rng((who.seed, 77, film_seed))
        self._hands = hands
        self._left = bool(self.rng.random() < 0.4)
        self._at = self.rng.uniform(-1, 1, 2)
        self._angle, self._size = self.rng.normal(0, 0.25), 0.0
        self._shape = self._any_pose(POSES)

    # Motions

    def rest(self, seconds: float) -> None:
        """Stay, nearly."""
        self._add(seconds, np.zeros((self._n(seconds), 2)))

    def go(
        self, to: Values, seconds: float, turn: float = 0.0, grow: float = 0.0, even: float = 0.0
    ) -> None:
        """A stroke to a place, in a bow; `even`: how much of it is at an even speed, [0, 1]."""
        n = self._n(seconds)
        s, way = self._progress(n), to - self._at
        s = (1 - even) * s + even * np.linspace(0, 1, n)
        across = np.array([-way[1], way[0]])
        bow = self.who.bow * self.rng.normal(0, 1)
        xy = s[:, None] * way + (4 * s * (1 - s))[:, None] * bow * across
        self._add(seconds, xy, turn * s, grow * s)

    def move_along(self, xy: Values) -> None:
        """Follow a path (n, 2), in steps of 1 / BASE s from where the hand is."""
        self._add(len(xy) / BASE, xy)

    def swipe(self, name: str) -> None:
        """Raise the hand to one side, stroke, rest, and mostly come back slowly."""
        u, who = self.rng.uniform, self.who
        way, far = self._turned(np.array(WAYS[name])), max(self._far(u(1.8, 4.5)), 1.6)
        self.go(self._near() - way * far / 2, u(0.9, 1.6))
        self.rest(max(who.pause * u(0.3, 1.5), 0.12))
        start, side = self.film.t, WAYS[name][0]
        flick = who.flick * u(0.3, 1.2) * (side or u(-0.4, 0.4))
        is_slow = u() < SLOW
        seconds = u(0.45, 0.9) if is_slow else self._quick(u(0.22, 0.42))
        self.go(self._at + way * far, seconds, flick, u(-0.12, 0.12), u(0, 0.7) * is_slow)
        self._made(name, start)
        self.rest(max(who.pause * u(0.4, 1.6), 0.2))
        self.go(self._near(), u(0.9, 1.6), -flick)

    def wave(self, _: str = "wave") -> None:
        """To and fro, twice at least, by the arm and the wrist."""
        u, who = self.rng.uniform, self.who
        self.go(self._near(), u(0.8, 1.4))
        f = float(np.clip(who.speed * u(1.5, 2.6), 0.85, 3.6))
        cycles = int(self.rng.integers(2, 6))
        n = self._n(cycles / f)
        phase = np.arange(n) / BASE * f * 2 * np.pi
        grown = np.minimum(1, np.minimum(phase, phase[::-1]) / np.pi * 1.3)
        wobble = np.sin(phase * (1 + 0.08 * u(-1, 1))) * grown * (1 if u() < 0.5 else -1)
        arm = self._far(u(0.25, 1.7)) * (1 - 0.85 * who.wrist) + 0.05
        bend = 0.15 + 0.5 * who.wrist * u(0.6, 1.2)
        xy = np.stack([arm * wobble, 0.12 * arm * np.abs(wobble)], axis=1)
        start = self.film.t
        self._add(cycles / f, xy, bend * wobble)
        self._made("wave", start, 1.75 / f)
        self.rest(who.pause * u(0.3, 1.5))

    def circle(self, _: str = "circle", turns: float | None = None) -> None:
        """One turn or some, either way round, more or less round."""
        u, who = self.rng.uniform, self.who
        self.go(self._near(), u(0.8, 1.4))
        turns = float(self.rng.choice([1.0, 1.1, 1.3, 2.0, 3.0])) if turns is None else turns
        once = float(np.clip(u(0.7, 1.2) / who.speed, 0.45, 1.95))
        n = self._n(turns * once)
        phase = (self._progress(n) * 0.5 + np.linspace(0, 1, n) * 0.5) * turns * 2 * np.pi
        around = phase * (1 if u() < 0.5 else -1) + u(0, 2 * np.pi)
        r, flat = self._far(u(0.5, 1.7)), u(0.6, 1.0)
        ring = np.stack([np.cos(around), flat * np.sin(around)], axis=1) * r
        drift = np.linspace(0, 1, n)[:, None] * self.rng.normal(0, 0.15, 2) * r
        lean = rotation(u(-0.6, 0.6))
        start = self.film.t
        self._add(turns * once, (ring - ring[:1]) @ lean.T + drift, u(0, 0.25) * np.sin(around))
        if turns >= 1:
            self._made("circle", start, once)
        self.rest(who.pause * u(0.3, 1.5))

    def pinch_pull(self, _: str = "pinch_pull", pull: float | None = None) -> None:
        """Thumb and index finger close, the hand is drawn away, they open again."""
        u = self.rng.uniform
        self.take_pose(("open_palm", "open_palm", "none"), u(0.3, 0.6))
        self.go(self._near(), u(0.8, 1.4))
        start = self.film.t
        far = self._far(u(1.1, 3.0)) if pull is None else pull
        way = rotation(u(0, 2 * np.pi))[0]
        closing, seconds = self._quick(u(0.18, 0.4)), self._quick(u(0.35, 0.8))
        if u() < 0.35:  # it closes while it is drawn away already
            self._close_and_go(way * far, seconds + closing / 2, closing)
        else:
            self.take_pose(CLOSED, closing)
            self.rest(u(0, 0.2))
            self.go(self._at + way * far, seconds, u(-0.3, 0.3), u(-0.25, 0.25))
        if pull is None:
            self._made("pinch_pull", start)
        self.rest(u(0.15, 0.5))
        self.take_pose(("open_palm", "none", "other"), u(0.2, 0.5))

    def _close_and_go(self, way: Values, seconds: float, closing: float) -> None:
        """Thumb and index finger close while the hand goes."""
        n, new = self._n(seconds), self._any_pose(CLOSED)
        s, first = self._progress(n), self._n(closing)
        share = np.concatenate([self._progress(first), np.ones(max(n - first, 0))])[:n]
        pair = np.broadcast_to([self._shape, new], (n, 2)).astype(float)
        self._add(seconds, s[:, None] * way, self.rng.uniform(-0.3, 0.3) * s, 0.0, pair, share)
        self._shape = new

    def take_pose(self, names: Sequence[str], seconds: float) -> None:
        """Another pose, in place."""
        n, new = self._n(seconds), self._any_pose(names)
        s = self._progress(n)
        pair = np.broadcast_to([self._shape, new], (n, 2)).astype(float)
        self._add(seconds, np.zeros((n, 2)), pose=pair, share=s)
        self._shape = new

    # Natural movement

    def natural(self) -> None:
        """One thing that people do otherwise."""
        does: tuple[Callable[[], object], ...] = (
            self._reach, self._reach, self._fidget, self._fidget, self._fidget, self._beats,
            self._type, self._type, self._change, self._change, self._change, self._turn,
            self._turn, self._askew, self._half_round, self._poke, self._sway, self._closed_only,
            self._carry, self._slow_line, self._scratch, self._glitch, self._swing, self._swing,
            self._swing, self._scribble, self._scribble, self._quick_scribble,
            self._swing_round, self._swing_round,
        )  # fmt: skip
        does[int(self.rng.integers(len(does)))]()

    def _reach(self) -> None:
        u = self.rng.uniform
        self.go(self.rng.normal(0, 2.2, 2), u(1.0, 2.4), u(-0.5, 0.5), u(-0.3, 0.3))
        self.rest(u(0, 1.0))

    def _fidget(self) -> None:
        for _ in range(self.rng.integers(2, 7)):
            self.go(self._at + self.rng.normal(0, 0.35, 2), self.rng.uniform(0.15, 0.6),
                    self.rng.normal(0, 0.2))  # fmt: skip
            self.rest(self.rng.uniform(0, 0.4))

    def _beats(self) -> None:
        """Strokes that go with words: short, quick, there and back."""
        way = rotation(self.rng.uniform(0, 2 * np.pi))[0] * self.rng.uniform(0.2, 0.9)
        home = self._at.copy()
        for _ in range(self.rng.integers(1, 4)):
            self.go(home + way, self.rng.uniform(0.14, 0.35), self.rng.normal(0, 0.2))
            self.go(home, self.rng.uniform(0.16, 0.45), self.rng.normal(0, 0.2))
            self.rest(self.rng.uniform(0, 0.5))

    def _type(self) -> None:
        """Fingers that work: the pose wobbles, the hand hardly moves."""
        for _ in range(self.rng.integers(4, 12)):
            before = self._shape
            self.take_pose(POSES, self.rng.uniform(0.08, 0.2))
            if self.rng.random() < 0.5:
                self._shape = before
            self.go(self._at + self.rng.normal(0, 0.12, 2), 0.1)

    def _change(self) -> None:
        self.take_pose((*POSES, *CLOSED), self.rng.uniform(0.12, 0.5))
        self.rest(self.rng.uniform(0.1, 1.2))

    def _askew(self) -> None:
        """A stroke between two of the ways that have names, and back."""
        u, home = self.rng.uniform, self._at.copy()
        way = rotation(np.pi / 4 + np.pi / 2 * self.rng.integers(4) + u(-0.25, 0.25))[0]
        self.go(home + way * u(1.5, 4), self._quick(u(0.22, 0.45)), u(-0.3, 0.3))
        self.rest(u(0.05, 0.6))
        self.go(home, u(0.8, 1.4))

    def _half_round(self) -> None:
        self.circle(turns=float(self.rng.uniform(0.3, 0.6)))

    def _poke(self) -> None:
        """There and back at once, as one reaches for a cup or touches a face."""
        u, home = self.rng.uniform, self._at.copy()
        way = rotation(u(0, 2 * np.pi))[0] * u(1, 4)
        self.go(home + way, u(0.3, 0.7), u(-0.4, 0.4), u(-0.2, 0.2))
        self.rest(u(0, 0.08))
        self.go(home + self.rng.normal(0, 0.2, 2), u(0.3, 0.7))

    def _sway(self) -> None:
        """To and fro once, or slowly: no wave."""
        u, home = self.rng.uniform, self._at.copy()
        far = np.array([u(0.4, 2.0), u(-0.3, 0.3)])
        slow = u(0.6, 1.2)
        for k in range(int(self.rng.integers(1, 4))):
            self.go(home + far * (1 if k % 2 else -1), slow, u(-0.2, 0.2))

    def _swing(self) -> None:
        """To and fro two times or more, along a line that is not level, or along an arc."""
        u = self.rng.uniform
        n = self._n(u(0.2, 1.0) * (times := self.rng.integers(2, 5)))
        there = (1 - np.cos(np.linspace(0, np.pi * times, n))) / 2
        lean, bend = u(0.6, np.pi - 0.6), u(0.5, 3.0) * (u() < 0.7)
        line = np.stack([there, np.zeros(n)], axis=1)
        arc = np.stack([np.sin(bend * there), 1 - np.cos(bend * there)], axis=1) / max(bend, 1e-6)
        way = (arc if bend > 0.5 else line) @ rotation(u(0, 2 * np.pi) if bend > 1.2 else lean).T
        self._add(n / BASE, way * u(0.6, 3.5), u(-0.3, 0.3) * there)
        self.rest(u(0.1, 0.6))

    def _swing_round(self) -> None:
        """To and fro along an arc, ways that lie beside one another: no circle."""
        u = self.rng.uniform
        n = self._n(u(0.2, 0.6) * (times := int(self.rng.integers(2, 7))))
        phase = np.linspace(0, np.pi * times, n, endpoint=False)
        beside = self.rng.normal(0, 0.1, times)[(phase / np.pi).astype(int)] * np.sin(phase)
        at = u(1.5, 4.2) * (1 - np.cos(phase)) / 2
        arc = np.stack([np.sin(at), -np.cos(at)], axis=1) * (1 + beside[:, None])
        way = (arc - arc[:1]) * (u(0.6, 1.0), 1) @ rotation(u(0, 2 * np.pi)).T
        self._add(n / BASE, way * self._far(u(0.5, 1.8)), u(-0.2, 0.2) * at)
        self.rest(u(0.1, 0.6))

    def _scribble(self, quick: float = 1.0) -> None:
        """Zigzags, waves and curves through places all about."""
        u = self.rng.uniform
        count, seconds = int(self.rng.integers(3, 9)), u(0.8, 2.4) / quick
        line = np.arange(count)[:, None] * self.rng.normal(0, 0.5, 2)
        spots = np.cumsum(self.rng.normal(0, 0.7, (count, 2)), axis=0) * u(0.2, 1) + line
        spots[1::2] += self.rng.normal(0, 1.2, 2) * (u() < 0.6)
        n = self._n(seconds)
        at = self._progress(n) * 0.4 + np.linspace(0, 1, n) * 0.6
        way = np.stack([np.interp(at * (count - 1), np.arange(count), v) for v in spots.T], axis=1)
        soft = round(u(0.02, 0.25) * n / count) * 2 + 1
        way = np.stack([smoothed(v, soft) for v in (way - way[0]).T], axis=1)
        self._add(n / BASE, way - way[0])
        self.rest(u(0.1, 0.6))

    def _quick_scribble(self) -> None:
        self._scribble(2.0)

    def _closed_only(self) -> None:
        """A pinch that pulls nothing."""
        self.pinch_pull(pull=float(self.rng.uniform(0, 0.3)))

    def _carry(self) -> None:
        """A closed hand that moves, and did not close just before."""
        self.take_pose(CLOSED, 0.3)
        self.rest(self.rng.uniform(0.8, 1.6))
        self.go(self.rng.normal(0, 2.0, 2), self.rng.uniform(0.4, 1.4))
        self.rest(self.rng.uniform(0.6, 1.2))
        self.take_pose(POSES, 0.3)

    def _slow_line(self) -> None:
        """The way of a swipe, and too slow for one."""
        way = np.array(list(WAYS.values())[self.rng.integers(4)])
        far = self._turned(way) * self.rng.uniform(1.5, 4.5)
        self.go(self._at + far, self.rng.uniform(1.25, 2.4) / min(self.who.speed, 1.0))
        self.rest(self.rng.uniform(0.1, 0.6))

    def _scratch(self) -> None:
        """Small and quick, as one rubs or shakes."""
        u = self.rng.uniform
        f, n = u(3.0, 6.5), self._n(u(0.6, 1.6))
        phase = np.arange(n) / BASE * f * 2 * np.pi
        way = rotation(u(0, 2 * np.pi))[0] * u(0.05, 0.22)
        self._add(n / BASE, np.sin(phase)[:, None] * way, u(0, 0.08) * np.sin(phase))

    def _glitch(self) -> None:
        """Landmarks that lie wrong for some frames."""
        n = self._n(self.rng.uniform(0.03, 0.15))
        off = np.broadcast_to(self.rng.normal(0, 1.2, 2), (n, 2))
        here, size = self._at.copy(), self._size
        self._add(n / BASE, off, grow=np.full(n, self.rng.normal(0, 0.3)))
        self._at, self._size = here, size
        self.rest(self.rng.uniform(0.1, 0.5))

    def _turn(self) -> None:
        """The hand turns in place."""
        self.go(self._at + self.rng.normal(0, 0.2, 2), self.rng.uniform(0.25, 1.0),
                self.rng.uniform(-1.2, 1.2))  # fmt: skip

    # The film

    def _made(self, name: str, start: float, once: float | None = None) -> None:
        end = self.film.t
        self.film.done.append(Done(name, start, end, end - start if once is None else once))

    def _add(
        self,
        seconds: float,
        xy: Values,
        turn: Values | float = 0.0,
        grow: Values | float = 0.0,
        pose: Values | None = None,
        share: Values | float = 0.0,
    ) -> None:
        """Movement from where the hand is."""
        n, film = len(xy), self.film
        angle, size = (np.broadcast_to(np.asarray(v, float), n) for v in (turn, grow))
        film.xy.append(self._at + xy)
        film.angle.append(self._angle + angle)
        film.size.append(self._size + size)
        pair = np.full((n, 2), self._shape, float) if pose is None else pose
        film.pose.append(pair)
        film.share.append(np.broadcast_to(np.asarray(share, float), n))
        film.count += n
        if n:
            self._at = film.xy[-1][-1].copy()
            self._size = 0.8 * float(film.size[-1][-1])
            self._angle = float(np.clip(film.angle[-1][-1], -1.2, 1.2))

    def seen(self) -> Stream:
        """The film as a camera and a network see it."""
        film, who, rng = self.film, self.who, self.rng
        whole = film.t
        count = int(whole * who.fps)
        t = (np.arange(count) + rng.uniform(-0.12, 0.12, count)) / who.fps
        t = np.sort(np.clip(t, 0, whole - 1 / BASE))[rng.random(count) > 0.02]
        i = (t * BASE).astype(int)
        xy, angle, size, share = (
            np.concatenate(part)[i] for part in (film.xy, film.angle, film.size, film.share)
        )
        pose = np.concatenate(film.pose)[i].astype(int)
        a, b = self._shapes(pose[:, 0]), self._shapes(pose[:, 1])
        hand = (1 - share)[:, None, None] * a + share[:, None, None] * b
        turned = np.einsum("fkj,fij->fki", hand, rotation(angle))
        turned *= np.exp(size)[:, None, None]
        wobble = tremble(t, rng) * who.tremor
        found = xy[:, None] + wobble[:, None] + turned + rng.normal(0, who.noise, turned.shape)
        for k in range(1, len(found)):  # what blur and smoothing keep of the frame before
            found[k] += who.lag * (found[k - 1] - found[k])
        scale, place = rng.uniform(25, 140), rng.uniform(100, 600, 2)
        kept = followed(t, found[:, (0, 5, 9, 13, 17)].mean(1), rng)
        return Stream(t[kept], found[kept] * scale + place, tuple(film.done), whole)

    def _shapes(self, poses: NDArray[np.intp]) -> Values:
        """(F, 21, 2) hands of a palm's length, around the palm's middle."""
        xy = self._hands.hands.xy[poses]
        palm = np.linalg.norm(xy[:, 9] - xy[:, 0], axis=1).clip(0.3)[:, None, None]
        xy = (xy - xy[:, (0, 5, 9, 13, 17)].mean(1, keepdims=True)) / palm
        return np.asarray(xy * ((-1, 1) if self._left else (1, 1)))

    def _any_pose(self, names: Sequence[str]) -> int:
        name = str(self.rng.choice(names))
        known = self._hands.names
        found = np.flatnonzero(self._hands.name == known.index(name)) if name in known else ()
        if not len(found):
            found = np.arange(len(self._hands.name))
        return int(self.rng.choice(found))

    # Habits

    def _n(self, seconds: float) -> int:
        return max(round(seconds * BASE), 1)

    def _quick(self, seconds: float) -> float:
        return float(np.clip(seconds / self.who.speed, 0.14, 0.85))

    def _far(self, usual: float) -> float:
        return usual * self.who.size

    def _near(self) -> Values:
        return np.asarray(self.rng.normal(0, 0.7, 2))

    def _turned(self, way: Values) -> Values:
        """A way as this person means it, and not the same twice."""
        lean = float(np.clip(self.who.lean + self.rng.normal(0, 0.08), -0.4, 0.4))
        return np.asarray(rotation(lean) @ way)

    def _progress(self, n: int) -> Values:
        """(n,) share of a stroke over time: minimum jerk, or skewed: a lognormal speed."""
        s = np.linspace(0, 1, n + 1)[1:]
        smooth = s**3 * (10 - 15 * s + 6 * s**2)
        if self.who.skew < 0.3:
            return np.asarray(smooth)
        u = np.maximum(s, 1e-6) * 4
        width = 0.3 + 0.12 * self.who.skew
        speed = np.exp(-((np.log(u) - np.log(1.2)) ** 2) / (2 * width**2)) / u
        gone = np.cumsum(speed if self.rng.random() < 0.65 else speed[::-1])  # or quick at last
        return np.asarray(gone / gone[-1])


def rotation(angle: Values | float) -> Values:
    """(..., 2, 2) by an angle, radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.moveaxis(np.array([[c, -s], [s, c]]), (0, 1), (-2, -1))


def tremble(t: Values, rng: np.random.Generator) -> Values:
    """(F, 2) of the order of 1: drift below 1 Hz and a tremor of 6 to 11 Hz."""
    found = np.zeros((len(t), 2))
    for low, high, much in ((0.1, 0.9, 2.0), (6, 11, 1.0)):
        for _ in range(3):
            f, phase = rng.uniform(low, high), rng.uniform(0, 2 * np.pi, 2)
            found += much / 3 * np.sin(2 * np.pi * f * t[:, None] + phase)
    return found


def followed(t: Values, palm: Values, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(F,) frames in which the hand is followed: quick ones are lost, and found again a little
    after they have stopped. How quick, palm lengths a frame, is the film's.
    """
    lost_at, slow = rng.choice([rng.uniform(0.7, 1.4), np.inf], p=[0.65, 0.35]), 0.35
    step = np.concatenate([[0.0], np.linalg.norm(np.diff(palm, axis=0), axis=1)])
    kept, back_at, is_lost = np.ones(len(t), bool), -np.inf, False
    for k, far in enumerate(step):
        if far > lost_at:
            is_lost = True
        elif is_lost and far < slow:
            is_lost, back_at = False, float(t[k] + max(rng.uniform(-0.15, 0.3), 0.0))
        kept[k] = not is_lost and t[k] >= back_at
    return kept


def smoothed(values: Values, over: int) -> Values:
    """A mean over so many steps, an odd number, twice."""
    for _ in range(2):
        values = np.convolve(np.pad(values, over // 2, "edge"), np.ones(over) / over, "valid")
    return values


def acted(who: Person, hands: Library, motions: Sequence[str], each: int) -> Stream:
    """A film of each of these motions so many times, in any order, natural movement between."""
    actor = Actor(who, hands)
    order = actor.rng.permutation(np.repeat(np.arange(len(motions)), each))
    actor.rest(1.0)
    for k in order:
        for _ in range(actor.rng.integers(0, 3)):
            actor.natural()
        actor.rest(actor.rng.uniform(0.3, 1.0))
        actor.take_pose(POSES, 0.3)
        name = motions[k]
        (actor.swipe if name in WAYS else getattr(actor, name))(name)
        actor.rest(actor.rng.uniform(0.4, 1.2))
    return actor.seen()


def idled(who: Person, hands: Library, seconds: float) -> Stream:
    """A film of natural movement alone."""
    actor = Actor(who, hands, IDLE)
    actor.rest(1.0)
    while actor.film.t < seconds:
        actor.natural()
        actor.rest(float(actor.rng.exponential(0.6)))
    return actor.seen()
