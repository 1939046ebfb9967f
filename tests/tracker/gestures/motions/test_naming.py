"""Motions on tracks: an event in one frame, said for a second, of whichever hand made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.tracker.gestures.motions.moved import Moved, moved, rest, ring, stroke
from tracker.gestures.motions.library import bundled
from tracker.gestures.motions.naming import KEPT, MotionNames, _Trail
from tracker.gestures.motions.spotting import Happenings, is_resting
from tracker.gestures.motions.windows import path_of
from tracker.types import Side, Track

SWIPE = moved([rest(1.2), stroke(-3, 0, 0.35), rest(2.0)])


def events(
    names: MotionNames, frames: Sequence[tuple[float, Sequence[Track]]]
) -> list[tuple[float, int, str]]:
    """When, of which track, and what."""
    found = []
    for t, tracks in frames:
        found += [
            (t, track.id, track.happened.name)
            for track in names.named(tracks, t) if track.happened is not None
        ]  # fmt: skip
    return found


def alone(hand: Moved, side: Side = "right") -> list[tuple[float, Sequence[Track]]]:
    return [(t, [track]) for t, track in hand.tracks(side)]


def test_a_swipe_is_told_once_after_it_ended() -> None:
    for side in ("right", "left"):
        (event,) = events(MotionNames([bundled()]), alone(SWIPE, side))
        assert event[1:] == (1, "swipe_left") and 1.4 < event[0] < 1.95


def test_a_motion_of_the_left_hand_is_told_of_no_right_one() -> None:
    own = replace(bundled(), sides={"swipe_left": "left"})
    assert not events(MotionNames([own]), alone(SWIPE, "right"))
    for spotters in ([own], [bundled().without(["swipe_left"]), own]):
        (event,) = events(MotionNames(spotters), alone(SWIPE, "left"))
        assert event[2] == "swipe_left"


def test_left_is_the_pictures_where_the_camera_does_not_face_the_person() -> None:
    (event,) = events(MotionNames([bundled()], facing=False), alone(SWIPE))
    assert event[2] == "swipe_right"


def test_it_is_said_for_a_second_and_its_age_rises() -> None:
    names, ages = MotionNames([bundled()]), []
    for t, track in SWIPE.tracks():
        (found,) = names.named([track], t)
        if found.motion is not None:
            ages.append(found.motion.age)
            assert (found.happened is not None) == (found.motion.age == 0)
    assert ages[0] == 0 and 0.95 < ages[-1] <= 1.0 and (np.diff(ages) > 0).all()


def test_two_hands_are_two_hands() -> None:
    still = moved([rest(3.55)])
    frames = [
        (t, [one, replace(two, id=2, side="left")])
        for (t, one), (_, two) in zip(SWIPE.tracks(), still.tracks(), strict=True)
    ]
    assert [event[1:] for event in events(MotionNames([bundled()]), frames)] == [(1, "swipe_left")]


def test_a_hand_that_was_lost_for_a_moment_goes_on_under_its_new_number() -> None:
    frames = [
        (t, [replace(track, id=1 if t < 1.35 else 2)] if not 1.30 < t < 1.40 else [])
        for t, track in SWIPE.tracks()
    ]
    assert [event[1:] for event in events(MotionNames([bundled()]), frames)] == [(2, "swipe_left")]


def test_faces_and_hands_of_other_markups_are_left_alone() -> None:
    t, track = SWIPE.tracks()[0]
    face = replace(track, kind="face")
    few = replace(track, xy_raw=track.xy_raw[:5])
    lost = replace(track, xy_raw=np.full((21, 2), np.nan, np.float32))
    assert MotionNames([bundled()]).named([face, few, lost], t) == [face, few, lost]


def test_forgotten_after_a_reset() -> None:
    names, frames = MotionNames([bundled()]), alone(SWIPE)
    half = len(frames) * 43 // 100  # in the middle of the stroke
    assert events(names, frames[:half]) == []
    names.reset()
    assert events(names, frames[half:]) == []


def test_every_frame_is_judged_by_the_last_seconds() -> None:
    """As when each frame's path is made anew of the landmarks: told in the same frames."""
    parts = (rest(1.5), stroke(-3, 0, 0.35), rest(4.0), ring(1.2, 1.2, 1.1), rest(1.0))
    for fps in (24, 60):
        hand, spotter, plainly = moved(parts * 2, fps), bundled(), []
        happenings = Happenings(spotter.names, spotter.thresholds)
        for t in hand.t:
            kept = (hand.t <= t) & (t - hand.t <= KEPT)
            path = path_of(hand.t[kept], hand.xy[kept].astype(np.float32))
            if not is_resting(path):
                happened = happenings.take(spotter.likely(path, [t])[0], t)
                plainly += [] if happened is None else [(t, 1, happened[0])]
        assert events(MotionNames([spotter]), alone(hand)) == plainly
        assert {"swipe_left", "circle"} <= {name for _, _, name in plainly} and len(plainly) > 3


def test_of_a_hand_the_last_seconds_are_kept() -> None:
    """At 120 frames a second, with a gap; what was read stays as it was."""
    trail, t, before = _Trail(), np.arange(4000) / 120, None
    t[2500:] += 1.0
    for k, at in enumerate(t):
        trail.add(at, np.full(7, float(k)))
        path, kept = trail.path, np.flatnonzero((t <= at) & (at - t <= KEPT))
        assert np.array_equal(path.t, t[kept]) and np.array_equal(path.marks[:, 6], kept)
        assert trail.last[0] == at and len(trail._t) < 2 * KEPT * 120 + 200
        assert before is None or np.array_equal(before.marks[:, 0], np.arange(k - len(before), k))
        before = path
