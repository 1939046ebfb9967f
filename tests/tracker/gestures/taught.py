"""Gestures as a person shows them, for tests: bundled examples, and hands that move a little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import assets
from tests.helpers.clips import track
from tracker.gestures.own import Gesture, Hand, Own, Sample, shown
from tracker.gestures.recogniser import EXAMPLES, Library, library
from tracker.types import Side, Track

TOLD = {"when": "2026-11-29T17:00:00", "from": "clip.mp4"}


def examples(name: str, most: int = 60, skip: int = 0) -> tuple[Sample, ...]:
    """Bundled hands of a gesture as samples, 15 a second; right ones, of photographs."""
    known = library()
    with np.load(assets.path(EXAMPLES), allow_pickle=False) as file:
        photo = file["sources"][file["source"]] != "hands_synth"
    of_it = np.flatnonzero((known.name == known.names.index(name)) & photo)
    found = np.random.default_rng(0).permutation(of_it)[skip : skip + most]
    return tuple(
        Sample(i / 15, (Hand("right", 50 * known.hands.xy[j] + 200, known.hands.xyz[j]),))
        for i, j in enumerate(found)
    )


def without(*names: str, every: int = 1) -> Library:
    """The bundled examples but for some gestures, or every so manieth of them."""
    known = library()
    kept = ~np.isin(np.array(known.names)[known.name], names)
    return known.some(kept & (np.arange(len(kept)) % every == 0))


def learn_little(patch: pytest.MonkeyPatch) -> None:
    """Where it counts that something was learnt, not how well: from an eighth of the examples."""
    few = without(every=8)
    patch.setattr("tracker.gestures.recogniser.library", lambda: few)
    for name in ("BETWEEN", "VARIED", "PLAIN", "BEHIND"):
        patch.setattr(f"tracker.gestures.recogniser.{name}", 200)


def pairs(a: str, b: str, most: int = 60) -> tuple[Sample, ...]:
    """Left hands of one gesture beside right ones of another, two hand sizes apart."""
    found = zip(examples(a, most), examples(b, most), strict=True)
    return tuple(
        Sample(left.t, (mirrored(left.hands[0], -100.0), right.hands[0])) for left, right in found
    )


def mirrored(hand: Hand, shift: float) -> Hand:
    """A left hand, moved by some pixels from where the right one is."""
    xy = hand.xy * (-1, 1) + (400 + shift, 0)
    return Hand("left", xy, None if hand.xyz is None else hand.xyz * (-1, 1, 1))


def own_of(gesture: Gesture, samples: tuple[Sample, ...], own: Own | None = None) -> Own:
    """With one take."""
    return shown(own or Own(), gesture, "gesture", samples, TOLD)


def seen(hand: Hand, number: int = 1, gesture: str = "none") -> Track:
    """A track of such a hand."""
    side: Side = hand.side
    xyz = None if hand.xyz is None else hand.xyz.astype(np.float32)
    xy = hand.xy.astype(np.float32)
    gestures = ((gesture, 0.9), ("fist", 0.1))
    return replace(
        track("hand", side, number), xy=xy, xy_raw=xy, xyz=xyz, gesture=gesture, gestures=gestures
    )
