"""What a follower tells of a face whose model gives irises, place, visibility and expressions."""

import numpy as np
import pytest

from tests.helpers import clips
from tracker.find.model_file import Attribute, ModelInfo
from tracker.follow.smooth import PRESETS
from tracker.follow.track_memory import Follower
from tracker.types import CropBox, Located


def info() -> ModelInfo:
    sizes = {"pose": 3, "place": 3, "iris": 6, "expressions": 52, "visible": 70}
    return ModelInfo(
        "face", tuple(f"p{i}" for i in range(68)), (), (),
        tuple(Attribute(name, size=size) for name, size in sizes.items()),
        "rcn_lite", 128, "rgb", (0.0,) * 3, (1.0,) * 3, 1.0, "", "", "",
    )  # fmt: skip


def located(jaw: float, shift: float = 0.0) -> Located:
    xy = clips.face_xy()
    expressions = np.zeros(52, np.float32)
    expressions[25] = jaw
    return Located(
        "face", CropBox(np.array([60, 30], np.float32), 40.0, 0.0), xy,
        np.ones(68, np.float32), 1.0,
        {
            "pose": np.array([5, 0, 0], np.float32),
            "place": np.array([60 + shift, 30, 9], np.float32),
            "iris": np.array([55 + shift, 28, 0.5, 65, 28, 0.75], np.float32),
            "expressions": expressions, "visible": np.linspace(0, 1, 70, dtype=np.float32),
        },
    )  # fmt: skip


def test_the_first_answer_is_shown_as_it_is() -> None:
    track = Follower(1, info(), PRESETS["light"]).update(located(0.5), 0.0)
    assert track.irises is not None and track.irises.tolist() == [[55, 28, 0.5], [65, 28, 0.75]]
    assert track.expressions is not None and track.expressions[25] == 0.5
    assert track.visible is not None and track.visible.shape == (68,)  # the irises' is left out
    assert track.pose is not None and track.pose.seen_at is not None
    assert track.pose.seen_at.tolist() == [60, 30, 9]


def test_they_are_smoothed_as_landmarks_are() -> None:
    follower = Follower(1, info(), PRESETS["strong"])
    follower.update(located(0.0), 0.0)
    track = follower.update(located(1.0, 4.0), 0.033)
    assert track.expressions is not None and 0 < track.expressions[25] < 1
    assert track.expressions_raw is not None and track.expressions_raw[25] == 1
    assert track.expression("jawOpen") == track.expressions[25]
    with pytest.raises(KeyError, match="no expression is called 'smirk'"):
        track.expression("smirk")
    assert track.irises is not None and 55 < track.irises[0, 0] < 59
    assert track.irises[0, 2] == 0.5
    assert track.pose is not None and track.pose.seen_at is not None
    assert 60 < track.pose.seen_at[0] < 64
    follower.restart()
    again = follower.update(located(1.0, 4.0), 0.066)
    assert again.expressions is not None and again.expressions[25] == pytest.approx(1)


@pytest.mark.parametrize("preset", ["light", "strong"])
def test_a_short_blink_is_shown_with_most_of_its_depth(preset: str) -> None:
    """100 ms from open to open at 30 frames a second, wherever it begins, with noise of 0.02."""
    shown = []
    for phase in range(8):
        rng = np.random.default_rng(phase)
        follower, said, told = Follower(1, info(), PRESETS[preset]), [0.0], [0.0]  # type: ignore[index]
        for i in range(120):
            t = i / 30
            since = t - 3 - phase / 240
            shut = np.sin(np.pi * since / 0.1) ** 2 if 0 < since < 0.1 else 0.0
            found = located(0.0)
            values = 0.1 + rng.normal(0, 0.02, 52) + np.eye(52)[9] * 0.5 * shut
            found.attributes["expressions"][:] = values.clip(0, 1)
            track = follower.update(found, t)
            assert track.expressions is not None and track.expressions_raw is not None
            said.append(float(track.expressions_raw[9]))
            told.append(float(track.expressions[9]))
        shown.append((max(told) - 0.1) / (max(said) - 0.1))
    assert min(shown) > 0.8
