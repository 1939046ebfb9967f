"""Conditions and measures against hands and faces posed by hand."""

from __future__ import annotations

import pytest

from tests.helpers.seen import face, hand, hand_xy, seen
from tracker.actions.conditions import CONDITIONS, condition, unknown_gestures
from tracker.actions.measures import mouth, pinch
from tracker.types import Track


def level(text: str, *tracks: Track, hand: str = "any", held: bool = False) -> tuple[float, object]:
    reading = condition(text).read(seen(0.0, *tracks), hand, 0.7, held)  # type: ignore[arg-type]
    return round(reading.level, 3), reading.holds


def test_gestures() -> None:
    assert level("fist", hand("fist", 0.9)) == (1.0, True)
    assert level("fist", hand("fist", 0.6)) == (0.857, False), "0.6 of the 0.7 that are asked for"
    assert level("fist", hand("fist", 0.6), held=True) == (1.0, True), "what held holds on a little"
    assert level("fist", hand("point", 0.9))[1] is False
    assert level("fist", hand("fist", presence=0.3)) == (0.0, None), "the hand is unsure"
    assert level("fist") == (0.0, False)


def test_which_hand() -> None:
    both = hand("fist", side="left"), hand("point", side="right")
    assert level("fist", *both, hand="left") == (1.0, True)
    assert level("fist", *both, hand="right")[1] is False
    assert level("fist", *both) == (1.0, True)


def test_lost_and_found() -> None:
    assert level("lost") == (1.0, True) and level("found") == (0.0, False)
    assert level("lost", hand()) == (0.0, False) and level("found", hand()) == (1.0, True)
    assert level("lost", hand(side="left"), hand="right") == (1.0, True)
    assert level("lost", hand(presence=0.2)) == (0.0, None)
    assert level("face lost", hand()) == (1.0, True) and level("face found", face())[1] is True


@pytest.mark.parametrize(
    ("text", "pose"),
    [
        ("head left 20", {"yaw": 20}), ("head right 20", {"yaw": -20}),
        ("head up 15", {"pitch": 15}), ("head down 15", {"pitch": -15}),
        ("tilt left", {"roll": 20}), ("tilt right", {"roll": -20}),
    ],
)  # fmt: skip
def test_the_head(text: str, pose: dict[str, float]) -> None:
    ((name, angle),) = pose.items()
    assert level(text, face(**{name: angle})) == (1.0, True)
    assert level(text, face(**{name: angle / 2})) == (0.5, False)
    assert level(text, face(**{name: -angle})) == (0.0, False)
    assert level(text, face(**{name: 0.85 * angle}), held=True)[1] is True
    assert level(text, face(**{name: 0.75 * angle}), held=True)[1] is False


def test_pinch_and_mouth() -> None:
    assert pinch(hand(xy=hand_xy(0.4))) == pytest.approx(0.4)
    folded = hand_xy(0.1)
    folded[8] = (320, 310)  # 0.9 palms from the wrist
    folded[4] = (325, 310)
    assert pinch(hand(xy=folded)) == 1.0, "a fist pinches nothing"
    assert pinch(face()) is None and mouth(hand()) is None
    assert mouth(face(mouth=0.5)) == pytest.approx(0.5)
    assert level("pinch", hand(xy=hand_xy(0.25))) == (1.0, True)
    assert level("pinch", hand(xy=hand_xy(0.625))) == (0.5, False)
    assert level("pinch", hand(xy=hand_xy(0.38)), held=True) == (1.0, True)
    assert level("mouth open", face(mouth=0.4)) == (1.0, True)
    assert level("mouth open 0.8", face(mouth=0.4)) == (0.5, False)


def test_words_that_are_no_conditions() -> None:
    for text, words in (
        ("head sideways", "is no condition"), ("head left 90", "5 to 60"), ("lost 3", "no number"),
        ("", "is no condition"), ("fist 3", "is no condition"), ("none", "between gestures"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            condition(text)
    for text in CONDITIONS:
        assert condition(text).gesture is None
    found = [condition("fist"), condition("head left"), condition("wave")]
    assert unknown_gestures(found, ("none", "fist")) == ["wave"]
