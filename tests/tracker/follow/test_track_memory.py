"""What a followed object remembers: attributes that have no field of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.find.model_file import Attribute
from tracker.follow.track_memory import ATTRIBUTE_TAU, Follower
from tracker.types import CropBox, Floats, Located

EXPRESSIONS = tuple(f"shape{i}" for i in range(52))
INFO = replace(
    clips.hand_info("face", 68),
    attributes=(
        Attribute("expression", EXPRESSIONS), Attribute("pose", size=3),
        Attribute("glasses", ("no", "yes")),
    ),
)  # fmt: skip


def answer(shapes: float, yes: float) -> Located:
    attributes: Mapping[str, Floats] = {
        "expression": np.full(52, shapes, np.float32), "pose": np.zeros(3, np.float32),
        "glasses": np.array([1 - yes, yes], np.float32),
    }  # fmt: skip
    xy = clips.track("face").xy
    box = CropBox(xy.mean(0), 40.0, 0.0)
    return Located("face", box, xy, np.ones(68, np.float32), 0.99, attributes)


def test_every_class_has_its_averaged_value() -> None:
    follower = Follower(1, INFO, None)
    first = dict(follower.update(answer(0.0, 1.0), 0.0).attributes)
    assert list(first) == [*EXPRESSIONS, "no", "yes"]
    assert first["shape51"] == 0 and (first["no"], first["yes"]) == (0, 1)
    later = dict(follower.update(answer(1.0, 0.5), ATTRIBUTE_TAU).attributes)
    assert later["shape0"] == pytest.approx(1 - np.exp(-1))
    assert later["yes"] == pytest.approx(1 - 0.5 * (1 - np.exp(-1)))
    follower.restart()
    again = dict(follower.update(answer(0.25, 0.0), 2 * ATTRIBUTE_TAU).attributes)
    assert again["shape0"] == 0.25, "nothing of before is left"


def test_gesture_and_side_have_fields_of_their_own() -> None:
    info = clips.hand_info()
    found = Located(
        "hand", CropBox(np.zeros(2, np.float32), 40.0, 0.0), clips.hand_xy(),
        np.ones(21, np.float32), 0.99, {"gesture": np.array([0.1, 0.9], np.float32)},
    )  # fmt: skip
    assert Follower(1, info, None).update(found, 0.0).attributes == ()
