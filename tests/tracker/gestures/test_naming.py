from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from tests.helpers.clips import track
from tests.tracker.gestures.taught import (
    examples,
    learn_little,
    mirrored,
    own_of,
    pairs,
    seen,
    without,
)
from tracker.errors import UserError
from tracker.gestures import naming
from tracker.gestures.naming import OwnNames, own_names, recogniser_of, sample_of
from tracker.gestures.own import Gesture, Hand, Sample, with_strictness, write_own
from tracker.gestures.recogniser import Recogniser, learn
from tracker.types import Track


@pytest.fixture(scope="module")
def horns() -> Recogniser:
    return learn([Gesture("horns", takes=(examples("l_shape", 60),))], without("l_shape"))


def hand(name: str, k: int = 0) -> Hand:
    return examples(name, 1, skip=k)[0].hands[0]


def after(names: OwnNames, tracks: list[Track], frames: int = 6) -> list[Track]:
    """What is said after some frames, 15 a second."""
    for i in range(frames):
        found = names.named(tracks, i / 15)
    return found


def test_it_takes_the_place_of_the_bundled_one_where_it_is_shown(horns: Recogniser) -> None:
    names = OwnNames(horns)
    face = track("face", number=9)
    shape, fist = seen(hand("l_shape", 61), 1, "point"), seen(hand("fist"), 2, "fist")
    found = after(names, [shape, fist, face])
    assert found[0].gesture == "horns" and found[0].gesture_p >= horns.thresholds["horns"]
    assert [name for name, _ in found[0].gestures] == ["point", "fist", "horns"]
    assert found[1].gesture == "fist" and found[1].gesture_p == fist.gesture_p
    assert dict(found[1].gestures)["horns"] < 0.5 and found[2] is face


def test_left_hands_show_it_too_unless_it_is_one_hands(horns: Recogniser) -> None:
    left = seen(mirrored(hand("l_shape", 61), 0.0))
    assert after(OwnNames(horns), [left])[0].gesture == "horns"
    only_right = replace(horns, one=(replace(horns.one[0], hands="right"),))  # learnt alike
    assert after(OwnNames(only_right), [left])[0].gesture == "none"
    assert after(OwnNames(only_right), [seen(hand("l_shape", 61))])[0].gesture == "horns"


def test_one_frame_is_not_enough_against_what_was_seen(horns: Recogniser) -> None:
    names = OwnNames(horns)
    after(names, [seen(hand("fist"))])
    assert names.named([seen(hand("l_shape", 61))], 0.4)[0].gesture == "none"


def test_landmarks_that_are_not_believed_show_nothing(horns: Recogniser) -> None:
    unsure = replace(seen(hand("l_shape", 61)), score=np.full(21, 0.4, np.float32))
    assert after(OwnNames(horns), [unsure])[0].gesture == "none"


def test_no_hand_to_read(horns: Recogniser) -> None:
    lost = replace(seen(hand("l_shape")), xy_raw=np.full((21, 2), np.nan, np.float32))
    found = OwnNames(horns).named([lost], 0.0)[0]
    assert found.gesture == "none" and dict(found.gestures)["horns"] == 0.0
    silent = replace(seen(hand("fist")), gesture=None, gestures=())
    assert OwnNames(horns).named([silent], 0.0)[0].gesture == "none", "a model without gestures"


def test_both_hands_carry_it() -> None:
    names = OwnNames(learn([Gesture("pair", "both", takes=(pairs("l_shape", "ok"),))]))
    a, b = pairs("l_shape", "ok", 1)[0].hands
    found = after(names, [seen(a, 1), seen(b, 2)])
    assert [t.gesture for t in found] == ["pair", "pair"]
    names.reset()
    assert after(names, [seen(a, 1)])[0].gesture == "none", "one hand alone"


def test_samples_of_a_frame() -> None:
    low, high = hand("fist"), hand("l_shape")
    high = Hand("left", high.xy - (0, 300), high.xyz)
    tracks = [seen(low, 1), seen(high, 2), track("face", number=3)]
    (sample,) = sample_of(tracks, 1.5, both=False)
    assert sample.t == 1.5 and sample.hands[0].side == "left", "the higher one"
    assert len(sample_of(tracks, 1.5, False, every=True)) == 2
    (pair,) = sample_of(tracks, 1.5, both=True)
    assert [h.side for h in pair.hands] == ["left", "right"]
    assert sample_of(tracks[:1], 1.5, both=True) == sample_of(tracks[2:], 1.5, False) == []


def test_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn_little(monkeypatch)
    path = tmp_path / "g.json"
    assert own_names(path) is None
    write_own(path, own_of(Gesture("horns"), examples("l_shape", 60)))
    names = own_names(path)
    assert (
        names is not None
        and dict(names.named([seen(hand("l_shape"))], 0.0)[0].gestures)["horns"] > 0
    )
    write_own(path, own_of(Gesture("horns"), examples("l_shape", 5)))
    with pytest.raises(UserError, match=r"g\.json: 5 samples show"):
        own_names(path)
    assert isinstance(examples("l_shape", 1)[0], Sample)


def test_the_slider_learns_nothing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, own = tmp_path / "g.json", own_of(Gesture("horns"), examples("l_shape", 60))
    write_own(path, own)
    first, learnt = recogniser_of(path), Mock(side_effect=ValueError("learnt again"))
    assert first is not None
    monkeypatch.setattr(naming, "learn", learnt)
    write_own(path, with_strictness(own, "horns", 1.0))
    strict = recogniser_of(path)
    assert strict is not None and strict.of_one is first.of_one
    assert strict.thresholds["horns"] == first.curves["horns"].threshold(1.0)
    assert strict.thresholds["horns"] > first.thresholds["horns"]
    write_own(path, own_of(Gesture("horns"), examples("l_shape", 60, 1)))
    with pytest.raises(UserError, match="learnt again"):
        recogniser_of(path)
