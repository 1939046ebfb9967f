"""Three new gestures of ten seconds each, taught from one source and tried on other people.

    python -m docs.studies.gestures.examples PREP/hand21.json     # keeps runs/gesture_answers.npz
    python -m docs.studies.gestures.taught runs/gesture_answers.npz

The bundled `rock`, `ok` and `call` are left out of the bundled examples and taught as if they were
new, from the pictures of one source each; so is what that source shows otherwise, as 'anything
else'. A source's pictures make ten seconds: 150 samples, each a picture with the noise of a hand
that moves a little. The network is the bundled one, which has seen the training hands; held-out
hands are those it has not.

- recall: pictures of other sources, of the gesture, each held still: photographs, those of them
  that are held as it was shown (the same side, fingers at most 45 degrees aslant), rendered hands.
- false shows an hour: an hour of synthetic movement at 15 frames a second. A hand goes from one
  held-out hand to another within 0.2 to 0.8 s and stays for 0.2 to 1.5 s; none shows a new gesture
  by its name, and unnamed ones not by the bundled head. Natural: those that are named none, or by
  nobody; gestures: all, bundled gestures among them. Of them held: for 0.3 s, as an action waits.
- bundled gestures: of held-out named hands, rendered ones among them, how many the bundled head
  shows rightly, without and with the own ones.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from docs.studies.gestures.examples import OTHER, Answers, read_answers
from tracker.find.locate import load_model
from tracker.find.model_file import bundled_file
from tracker.follow.gesture import GestureFilter
from tracker.gestures.features import Hands, hands_of, palm_axes
from tracker.gestures.naming import STEADY
from tracker.gestures.own import Gesture, Hand, Sample
from tracker.gestures.recogniser import Library, Recogniser, learn, library
from tracker.types import Floats, Side

NEW = ("rock", "ok", "call")
TAUGHT_BY = (
    {"rock": "emrecandir9", "ok": "4Tsuki4", "call": "4Tsuki4"},
    {"rock": "JuanParrado19", "ok": "JuanParrado19", "call": "emrecandir9"},
    {"rock": "emrecandir9", "ok": "finger_count", "call": "asl_cutout"},
)
RATE, SECONDS = 15, 10
RENDERED = "hands_synth"
# Looked at: its hands that are called i_love_you show thumb and little finger, which is `call`.
MISNAMED = ("FarzadMalik", "i_love_you")
HELD = 0.3  # s, as actions usually wait
STRICTNESS = (0.0, 0.25, 0.5, 1.0)


def main(
    answers: Annotated[Path, typer.Argument(help="Of the study `examples`.")],
    minutes: Annotated[float, typer.Option(help="Of synthetic movement.")] = 60.0,
) -> None:
    """Print a line of JSON a way of teaching and strictness."""
    said = read_answers(answers)
    for taught_by in TAUGHT_BY:
        gestures = [taught(said, name, source) for name, source in taught_by.items()]
        begun = time.process_time()
        recogniser = learn(gestures, without_new())
        seconds = time.process_time() - begun
        p = told(said, recogniser)
        moves = {
            "natural": moving_hands(said, natural_hands(said), minutes),
            "gestures": moving_hands(said, quiet_hands(said), minutes),
        }
        p_moved = {how: recogniser.told_of_one(moved) for how, (_, moved) in moves.items()}
        for strictness in STRICTNESS:
            one = tuple(replace(g, strictness=strictness) for g in recogniser.one)
            strict = replace(recogniser, one=one)
            shown, held = {}, {}
            for how, (times, _) in moves.items():
                shown[how], held[how] = false_shows(p_moved[how], times, strict)
            row = {
                "taught_by": "/".join(taught_by.values()), "strictness": strictness,
                "learnt_in_cpu_s": round(seconds, 2),
                **{
                    f"recall_{name}": recall(said, p[:, k], name, source, strict.thresholds[name])
                    for k, (name, source) in enumerate(taught_by.items())
                },
                "false_shows_an_hour": shown,
                "of_them_held": held,
                **bundled(said, p, strict),
            }  # fmt: skip
            print(json.dumps(row), flush=True)


def without_new() -> Library:
    """The bundled examples but for the new gestures."""
    known = library()
    return known.some(~np.isin(np.array(known.names)[known.name], NEW))


def is_from(said: Answers, source: str) -> NDArray[np.bool_]:
    """(N,) hands whose source begins like this."""
    return np.array([name.startswith(source) for name in said.source])


def hand(said: Answers, i: int) -> Hand:
    """One of them."""
    side: Side = "left" if said.left[i] else "right"
    return Hand(side, said.xy[i].astype(np.float64), said.xyz[i].astype(np.float64))


def taught(said: Answers, name: str, source: str) -> Gesture:
    """A gesture from ten seconds of a source, and ten of what it shows otherwise."""
    rng, whose = np.random.default_rng(0), is_from(said, source)
    shows = take(said, np.flatnonzero(whose & (said.gesture == name)), rng)
    else_ = np.flatnonzero(whose & ~np.isin(said.gesture, (*NEW, OTHER)))
    return Gesture(name, takes=(shows,), others=(take(said, else_, rng),))


def take(said: Answers, hands: NDArray[np.intp], rng: np.random.Generator) -> tuple[Sample, ...]:
    """Ten seconds: each picture in turn for as long as all, with a little movement."""
    count = RATE * SECONDS
    found = []
    for i in range(count):
        one = hand(said, int(hands[i * len(hands) // count]))
        size = float(np.ptp(one.xy, axis=0).max())
        assert one.xyz is not None
        moved = replace(
            one,
            xy=one.xy + rng.normal(0, 0.01 * size, one.xy.shape),
            xyz=one.xyz + rng.normal(0, 0.02, one.xyz.shape),
        )
        found.append(Sample(i / RATE, (moved,)))
    return tuple(found)


def told(said: Answers, recogniser: Recogniser) -> Floats:
    """(N, gestures) how likely each hand shows each; held still, that is what is steadied."""
    return recogniser.told_of_one(hands_of(said.xy, said.xyz, said.left))


def held_alike(said: Answers, name: str, source: str) -> NDArray[np.bool_]:
    """(N,) hands that show the same side as this source's do, fingers at most 45 degrees aslant."""
    axes = palm_axes(hands_of(said.xy, said.xyz, said.left).xyz)
    along = np.arctan2(axes[:, 1, 0], axes[:, 0, 0])
    own = is_from(said, source) & (said.gesture == name)
    turn = np.angle(np.exp(1j * along) / np.exp(1j * along[own]).mean())
    same = np.sign(axes[:, 2, 1]) == np.sign(np.median(axes[own, 2, 1]))
    return np.asarray(same & (np.abs(turn) < np.pi / 4))


def recall(said: Answers, p: Floats, name: str, source: str, least: float) -> list[object]:
    """Of photographs of other sources the share that show it, and how many; of those of them that
    are held as it was shown; and of rendered hands.
    """
    other = (said.gesture == name) & ~is_from(said, source)
    photo = other & (said.source != RENDERED)
    shares: list[object] = []
    for chosen in (
        photo, photo & held_alike(said, name, source), other & (said.source == RENDERED),
    ):  # fmt: skip
        shares += [round(float((p[chosen] >= least).mean()), 3), int(chosen.sum())]
    return shares


def quiet_hands(said: Answers) -> NDArray[np.intp]:
    """Held-out hands that show no new gesture, by label or by the bundled head."""
    new = np.isin(said.classes, NEW)
    likely = said.said[:, new].max(1) > 0.3
    unnamed = np.isin(said.gesture, (OTHER, "none"))
    quiet = said.held_out & ~np.isin(said.gesture, NEW) & ~(unnamed & likely)
    return np.flatnonzero(quiet & ~(is_from(said, MISNAMED[0]) & (said.gesture == MISNAMED[1])))


def natural_hands(said: Answers) -> NDArray[np.intp]:
    """Of them those that show no bundled gesture by their name either."""
    quiet = quiet_hands(said)
    return quiet[np.isin(said.gesture[quiet], (OTHER, "none"))]


def movement(
    said: Answers, pool: NDArray[np.intp], minutes: float, seed: int = 0
) -> Iterator[tuple[float, Hand]]:
    """A right hand that goes from one hand of the pool to another: times and hands."""
    rng = np.random.default_rng(seed)

    def placed(i: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        one = hand(said, i)
        flip = -1.0 if one.side == "left" else 1.0
        xy = (one.xy - one.xy.mean(0)) / np.ptp(one.xy, axis=0).max() * 100
        assert one.xyz is not None
        return xy * (flip, 1), one.xyz * (flip, 1, 1)

    for t, now, then, share in wander(pool, minutes, rng):
        pairs = zip(placed(now), placed(then), strict=True)
        xy, xyz = ((1 - share) * a + share * b for a, b in pairs)
        noise = rng.normal(0, 0.7, xy.shape), rng.normal(0, 0.02, xyz.shape)
        yield t, Hand("right", xy + noise[0], xyz + noise[1])


def wander(
    pool: NDArray[np.intp], minutes: float, rng: np.random.Generator
) -> Iterator[tuple[float, int, int, float]]:
    """Times; which of the pool a hand comes from, to which it goes, and how far it has come."""
    t, now = 0.0, int(rng.choice(pool))
    while t < 60 * minutes:
        then, way, rest = int(rng.choice(pool)), rng.uniform(0.2, 0.8), rng.uniform(0.2, 1.5)
        for k in range(round((way + rest) * RATE)):
            yield t, now, then, min(k / RATE / way, 1.0)
            t += 1 / RATE
        now = then


def moving_hands(
    said: Answers, pool: NDArray[np.intp], minutes: float
) -> tuple[NDArray[np.float64], Hands]:
    """All of the movement at once."""
    times, hands = zip(*movement(said, pool, minutes), strict=True)
    xyz = np.stack([one.xyz for one in hands if one.xyz is not None])
    return np.array(times), hands_of(np.stack([h.xy for h in hands]), xyz, [False] * len(hands))


def false_shows(
    p: Floats, times: NDArray[np.float64], recogniser: Recogniser
) -> tuple[dict[str, float], dict[str, float]]:
    """How often each is shown in the movement, an hour: at all, and for HELD s at least."""
    steady, before = GestureFilter(recogniser.names, STEADY, recogniser.thresholds), "none"
    shown, held = (dict.fromkeys(recogniser.names, 0) for _ in range(2))
    since, is_new = 0.0, False
    for row, t in zip(p, times, strict=True):
        now, _ = steady.update(row, float(t))
        if now != before:
            since, is_new = t, now in shown
            if is_new:
                shown[now] += 1
        if is_new and t - since >= HELD:
            held[now] += 1
            is_new = False
        before = now
    hours = times[-1] / 3600
    at_all, long = (
        {name: round(found / hours, 1) for name, found in count.items()} for count in (shown, held)
    )
    return at_all, long


def bundled(said: Answers, p: Floats, recogniser: Recogniser) -> dict[str, object]:
    """Of held-out hands of bundled gestures: percent shown rightly, without and with own ones."""
    points = load_model(bundled_file("hand"), threads=1).info.operating_points
    classes = tuple(str(c) for c in said.classes)
    named = said.held_out & ~np.isin(said.gesture, (*NEW, OTHER, "none"))
    own = (p >= np.array([recogniser.thresholds[n] for n in recogniser.names])).any(1)
    right = {False: 0, True: 0}
    for i in np.flatnonzero(named):
        shown, _ = GestureFilter(classes, None, points).update(said.said[i], 0.0, said.score[i])
        right[False] += shown == said.gesture[i]
        right[True] += shown == said.gesture[i] and not own[i]
    count = int(named.sum())
    without, beside = (round(100 * right[k] / count, 2) for k in (False, True))
    return {"bundled_hands": count, "bundled_right": without, "with_own": beside}


if __name__ == "__main__":
    typer.run(main)
