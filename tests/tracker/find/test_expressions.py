"""Names of the 52 expressions."""

import pytest

from tracker.find.expressions import EXPRESSIONS, MIRRORED, by_name, in_order, mirrored


def test_their_order_is_that_of_mediapipes_list():
    """Category names of the network in face_landmarker.task, as its metadata list them."""
    assert len(EXPRESSIONS) == len(set(EXPRESSIONS)) == 52
    at = {0: "_neutral", 1: "browDownLeft", 2: "browDownRight", 3: "browInnerUp", 9: "eyeBlinkLeft",
          10: "eyeBlinkRight", 19: "eyeSquintLeft", 25: "jawOpen", 27: "mouthClose",
          38: "mouthPucker", 44: "mouthSmileLeft", 51: "noseSneerRight"}  # fmt: skip
    assert {i: EXPRESSIONS[i] for i in at} == at


def test_a_mirror_swaps_left_and_right():
    assert mirrored("eyeLookInLeft") == "eyeLookInRight"
    assert mirrored("jawOpen") == "jawOpen"
    assert [MIRRORED[i] for i in MIRRORED] == list(range(52))
    assert EXPRESSIONS[MIRRORED[EXPRESSIONS.index("jawLeft")]] == "jawRight"


def test_named_values_in_order():
    values = in_order({"jawOpen": 0.5})
    assert sum(values) == 0.5 and by_name(values)["jawOpen"] == 0.5
    assert "_neutral" not in by_name(values)
    with pytest.raises(ValueError, match="'tongueOut' is no expression"):
        in_order({"tongueOut": 1})
