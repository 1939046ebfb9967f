"""Conditions and measures against hands and faces posed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.clips import hand_info
from tests.helpers.seen import face, hand, hand_xy, seen
from tracker.actions.conditions import CONDITIONS, condition, told_by, unknown_words
from tracker.actions.measures import MEASURES, brows, eyes, measure_of, mouth, pinch, smile
from tracker.find.expressions import in_order
from tracker.find.head_pose import face_xyz, rotation_from_pose
from tracker.find.model_file import Attribute
from tracker.types import Pose, Track


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
    for tip in (4, 8):
        score = np.ones(21, np.float32)
        score[tip] = 0.29
        guessed = replace(hand(xy=hand_xy(0.1)), score=score)
        assert pinch(guessed) is None, "a tip that is hidden is put anywhere"
    assert pinch(face()) is None and mouth(hand()) is None
    assert mouth(face(mouth=0.5)) == pytest.approx(0.5)
    assert level("pinch", hand(xy=hand_xy(0.25))) == (1.0, True)
    assert level("pinch", hand(xy=hand_xy(0.625))) == (0.5, False)
    assert level("pinch", hand(xy=hand_xy(0.38)), held=True) == (1.0, True)
    assert level("mouth open", face(mouth=0.4)) == (1.0, True)
    assert level("mouth open 0.8", face(mouth=0.4)) == (0.5, False)


def expressive(yaw: float = 0.0, **moved: float) -> Track:
    """The average face, seen from the front or turned, with parts moved by so many cm."""
    solid = face_xyz().copy()
    solid[48, 0] -= moved.get("apart", 0)
    solid[54, 0] += moved.get("apart", 0)
    solid[[48, 54], 1] -= moved.get("up", 0)
    solid[17:27, 1] -= moved.get("brows", 0)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        middle = (solid[upper, 1] + solid[lower, 1]) / 2
        solid[[upper, lower], 1] = middle + moved.get("lids", 1) * (
            solid[[upper, lower], 1] - middle
        )
    turned = solid @ rotation_from_pose(Pose(yaw, 0, 0)).T
    xy = (10 * turned[:, :2] + 300).astype(np.float32)
    return replace(face(yaw=yaw), xy=xy)


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_expressions_of_landmarks(yaw: float) -> None:
    """Each by what `tracker.find.face_measures` says of 1 cm."""
    width = float(np.linalg.norm(face_xyz()[54, :2] - face_xyz()[48, :2]))
    rest = expressive(yaw)
    assert smile(rest) == pytest.approx(0, abs=1e-3) and brows(rest) == pytest.approx(0, abs=1e-3)
    both = expressive(yaw, apart=0.06 * width, up=0.3)  # 0.12 / 0.3 of the width, 0.3 / 0.6 cm
    assert smile(both) == pytest.approx(0.4, abs=1e-3), "the lesser one"
    assert smile(expressive(yaw, up=0.6)) == pytest.approx(0, abs=1e-3), "an open mouth"
    assert level("smile 0.39", both)[1] is True and level("smile 0.8", both) == (0.5, False)
    assert level("smile", rest)[1] is False
    raised = expressive(yaw, brows=0.4)
    assert brows(raised) == pytest.approx(0.5, abs=1e-3)
    assert level("brows up 0.49", raised)[1] is True and level("brows up", rest)[1] is False
    shut, wide = expressive(yaw, lids=0.1), expressive(yaw, lids=1.5)
    assert eyes(shut) == 0 and eyes(wide) == 1
    assert level("eyes shut", shut) == (1.0, True) and level("eyes shut", wide) == (0.0, False)


def test_in_profile_no_expression_is_told() -> None:
    assert smile(expressive(60)) is None and level("smile", expressive(60)) == (0.0, None)
    assert brows(hand()) is None and eyes(replace(face(), pose=None)) is None


def test_any_class_of_any_attribute() -> None:
    """As a model of 52 expressions has them, and one of an object of one's own."""
    expressions = tuple((f"shape{i}", i / 51) for i in range(52))
    shown = replace(face(), attributes=expressions)
    assert level("face shape51 0.9", shown) == (1.0, True)
    assert level("face shape17 0.5", shown) == (0.667, False), "1/3 of the 1/2 asked for"
    assert level("face shape26", shown) == (1.0, True), "26/51, of 0.5"
    assert level("face shape21", shown)[1] is False
    assert level("face shape21", shown, held=True)[1] is True, "0.41 is above 0.8 of it"
    assert level("face other", shown) == (0.0, None) and level("object open") == (0.0, False)
    box = replace(face(), kind="object", attributes=(("open", 0.75),))
    assert level("object open 0.7", box, shown) == (1.0, True)
    info = replace(
        hand_info("face", 68),
        attributes=(Attribute("expression", ("jawOpen", "smileLeft")), Attribute("pose", size=3)),
    )
    told = told_by([hand_info(), info])
    assert told == ("none", "fist", "face jawOpen", "face smileLeft")
    asked = [condition(w) for w in ("face jawOpen 0.4", "face jawShut", "hand jawOpen", "smile")]
    assert unknown_words(asked, told) == ["face jawShut", "hand jawOpen"]
    arkit = replace(info, attributes=(Attribute("expressions", size=52),))
    told = told_by([arkit])
    assert told[0] == "face browDownLeft" and "face jawOpen" in told and len(told) == 51
    assert unknown_words([condition("face jawOpen 0.5")], told) == []
    opened = replace(face(), expressions=np.array(in_order({"jawOpen": 0.625}), np.float32))
    assert level("face jawOpen 0.5", opened) == (1.0, True)
    assert level("face jawOpen 0.7", opened)[1] is False
    assert MEASURES["smile"].usual == (0.0, 0.6)
    assert measure_of("face shape51").read(shown) == 1 and measure_of("smile") is MEASURES["smile"]


def test_words_that_are_no_conditions() -> None:
    for text, words in (
        ("head sideways", "is no condition"), ("head left 90", "5 to 60"), ("lost 3", "no number"),
        ("face jawOpen 2", "0.05 to 1"), ("face jaw open", "is no condition"),
        ("", "is no condition"), ("fist 3", "is no condition"), ("none", "between gestures"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            condition(text)
    for text in CONDITIONS:
        assert condition(text).gesture is None
    found = [condition("fist"), condition("head left"), condition("wave")]
    assert unknown_words(found, ("none", "fist")) == ["wave"]


def test_gestures_of_ones_own_whatever_they_are_called() -> None:
    """A gesture may be taught as these; a profile could name a single ASCII word only."""
    for name in ("open hand", "peace-sign", "сердце", "ü b"):
        assert condition(name).gesture == name
    with pytest.raises(ValueError, match="is no condition"):
        condition("open hand 3")
