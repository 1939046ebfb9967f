"""Teaching own gestures: samples from clips, learning, and what is said of one that was taught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tracker.errors import UserError
from tracker.gestures.motions.learn import MotionCurve
from tracker.gestures.naming import sample_of
from tracker.gestures.own import Gesture, Of, Own, Sample, shown
from tracker.gestures.recogniser import LEAST, Recogniser, learn
from tracker.track import Tracker

Told = Callable[[int, int | None], object]
MOST = 600  # samples of a clip: a longer one is thinned evenly


def samples_in(
    clip: Path, tracker: Tracker, both: bool, every: bool, progress: bool | Told = False
) -> tuple[Sample, ...]:
    """The samples of a clip, see `sample_of`; UserError where none of its frames has one."""
    found: list[Sample] = []
    for frame, result in tracker.video(clip, progress):
        found += sample_of(result.tracks, frame.t, both, every)
    if not found:
        hands = "both hands" if both else "a hand"
        raise UserError(f"{clip} shows {hands} in no frame; take one that does, in good light")
    return tuple(found)


def thinned(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """At most `MOST`, evenly."""
    step = -(-len(samples) // MOST)
    return tuple(samples[::step])


def with_clips(
    own: Own,
    gesture: Gesture,
    clips: Sequence[tuple[Of, Path]],
    tracker: Tracker,
    bar: Callable[[str], Told] = lambda name: lambda done, total: None,
) -> Own:
    """With a take of each clip, of the gesture or of anything else. UserError, see `samples_in`.

    `bar` gets a clip's name, and what it gives is told the clip's frames that are done, and all.
    """
    both = gesture.hands == "both"
    for of, clip in clips:
        # The frames of a motion are one hand's, one after another.
        every = of == "anything else" and not both and not gesture.is_motion
        samples = samples_in(clip, tracker, both, every, bar(clip.name))
        if not gesture.is_motion:
            samples = thinned(samples)
        own = shown(own, gesture, of, samples, told_of(clip.name))
    return own


def told_of(source: str) -> dict[str, str]:
    """When and from where, for a take that is made now."""
    return {"when": datetime.now().isoformat(timespec="seconds"), "from": source}


def begun(own: Own, gesture: Gesture) -> Gesture:
    """The gesture as it is there already, where it is, else this new one.

    UserError where that one is of other hands: its samples would not go together.
    """
    for known in own.gestures:
        if known.name == gesture.name:
            if known.hands != gesture.hands and "both" in (known.hands, gesture.hands):
                raise UserError(
                    f"{known.name!r} is a gesture of {known.hands}; remove it first, or give "
                    "this one another name"
                )
            if known.is_motion != gesture.is_motion:
                kind = "a motion" if known.is_motion else "a gesture that is held"
                raise UserError(
                    f"{known.name!r} is {kind}; remove it first, or give this one another name"
                )
            return replace(known, hands=gesture.hands, any_turn=gesture.any_turn)
    return gesture


def learnt(own: Own) -> Recogniser:
    """What recognises these; UserError where one has too few samples."""
    try:
        return learn(own.gestures)
    except ValueError as error:
        raise UserError(str(error)) from error


def told(recogniser: Recogniser, name: str) -> list[str]:
    """What is said of a gesture that was learnt: sentences with the numbers of its slider."""
    gesture = next(g for g in recogniser.every if g.name == name)
    curve, least = recogniser.curves[name], recogniser.thresholds[name]
    if isinstance(curve, MotionCurve):
        return _told_of_motion(recogniser, gesture, curve)
    said = [
        f"{name} is shown from {least:.0%} on: of its samples that were kept apart "
        f"{1 - curve.missed(least):.1%} are shown, and {curve.mistaken(least):.2%} of "
        f"{len(curve.others)} other hands"
    ]
    ends = [
        (words, curve.threshold(s)) for words, s in (("never missed", 0), ("never by mistake", 1))
    ]
    said += [
        f"  {words}: {1 - curve.missed(t):.1%} and {curve.mistaken(t):.2%}" for words, t in ends
    ]
    if not gesture.others:
        said.append(
            f"show anything else for ten seconds, too: {name} is told from bundled examples alone"
        )
    if name in recogniser.like:
        bundled, share = recogniser.like[name]
        said.append(
            f"{share:.0%} of the bundled hands of {bundled!r} look like it: where both are likely "
            f"{name} is shown"
        )
    count = sum(map(len, gesture.takes))
    if count < 3 * LEAST:
        said.append(
            f"few samples ({count}; {3 * LEAST} are good): add some, and turn the hand meanwhile"
        )
    return said


def _told_of_motion(recogniser: Recogniser, gesture: Gesture, curve: MotionCurve) -> list[str]:
    name, least = gesture.name, curve.threshold(gesture.strictness)
    times = len(curve.own)

    said = [
        f"{name} is told from {least:.0%} on: {1 - curve.missed(least):.1%} of its {times} "
        f"repetitions, each kept apart, and {curve.an_hour(least):.0f} times in an hour of other "
        "movement"
    ]
    ends = [
        (words, curve.threshold(s)) for words, s in (("never missed", 0), ("never by mistake", 1))
    ]
    said += [
        f"  {words}: {1 - curve.missed(t):.1%} and {curve.an_hour(t):.0f} times"
        for words, t in ends
    ]
    if not gesture.others:
        said.append(
            f"show anything else for ten seconds, too: {name} is told from bundled movement alone"
        )
    if name in recogniser.like:
        bundled, share = recogniser.like[name]
        said.append(f"{share:.0%} of the bundled motions {bundled!r} look like it")
    replaced = () if recogniser.of_motion is None else recogniser.of_motion.replaced
    if replaced:
        said.append(f"not told any more, since yours take their place: {', '.join(replaced)}")
    if times < 6:
        said.append("few repetitions: show it again, six times or more")
    return said
