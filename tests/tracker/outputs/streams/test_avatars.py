"""Blend shapes of avatars by expressions."""

import numpy as np
import pytest

from tracker.find.expressions import in_order
from tracker.outputs.streams.avatars import perfect_sync, vrm0


def expressions(**values: float) -> np.ndarray:
    return np.array(in_order(values), np.float32)


def test_perfect_sync_has_arkits_names_with_a_capital() -> None:
    found = perfect_sync(expressions(jawOpen=0.5))
    assert len(found) == 51 and "_neutral" not in found
    assert found["JawOpen"] == 0.5 and found["NoseSneerRight"] == 0


@pytest.mark.parametrize(
    ("given", "vowels"),
    [
        ({"jawOpen": 1.0}, {"A": 1}),
        ({"jawOpen": 0.5, "mouthFunnel": 1.0}, {"O": 0.5, "U": 0.5}),
        ({"mouthPucker": 0.75}, {"U": 0.75}),
        ({"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, {"I": 1}),
        ({"jawOpen": 0.25, "mouthStretchLeft": 1, "mouthStretchRight": 1}, {"E": 0.25, "I": 0.75}),
        ({"jawOpen": 0.5, "mouthClose": 1.0}, {}),  # the jaw is open, the lips are not
    ],
)
def test_vowels(given: dict[str, float], vowels: dict[str, float]) -> None:
    found = vrm0(expressions(**given))
    assert {v: found[v] for v in "AIUEO"} == pytest.approx(dict.fromkeys("AIUEO", 0.0) | vowels)


def test_feelings() -> None:
    smile = {"mouthSmileLeft": 0.75, "mouthSmileRight": 0.75}
    found = vrm0(expressions(**smile, cheekSquintLeft=0.5, cheekSquintRight=0.5))
    assert (found["Joy"], found["Fun"]) == pytest.approx((0.5, 0.25))
    found = vrm0(expressions(browDownLeft=1, browDownRight=1, browInnerUp=1))
    assert (found["Angry"], found["Sorrow"]) == pytest.approx((1, 0))
    found = vrm0(expressions(mouthFrownLeft=0.5, mouthFrownRight=0.5, browInnerUp=0.25))
    assert found["Sorrow"] == pytest.approx(0.25)
    assert vrm0(expressions(eyeBlinkLeft=0.25))["Blink_L"] == pytest.approx(0.25)
