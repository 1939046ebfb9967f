"""The Lab Streaming Layer, read by pylsl's own inlet."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.live import wait_for
from tracker.errors import UserError
from tracker.find.expressions import EXPRESSIONS
from tracker.find.model_file import Attribute
from tracker.outputs.output import About
from tracker.outputs.streams.lsl import LslOutlet, blocks
from tracker.result import Result
from tracker.types import Frame, Pose

pylsl = pytest.importorskip("pylsl")
ABOUT = About("the camera", clips.USED)


def test_an_inlet_gets_labelled_samples_at_their_capture_times() -> None:
    name = f"test of landmarks {time.monotonic_ns()}"
    output = LslOutlet(f"lsl:{name}", ABOUT)
    (info,) = pylsl.resolve_byprop("name", name, timeout=20)
    assert output.heard() == "nobody listens"
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(timeout=20)
    wait_for(lambda: output.heard() == "received", "the inlet is known")
    described = inlet.info(timeout=20)
    labels = described.get_channel_labels()
    units = described.get_channel_units()
    assert len(labels) == described.channel_count() == 2 * (1 + 63) + 1 + 3 * 68 + 6
    assert (labels[1], labels[2], labels[3]) == ("left_p0_x", "left_p0_y", "left_p0_score")
    assert units[labels.index("face_yaw")] == "degrees" and units[1] == "pixels"
    assert described.type() == "Landmarks" and described.nominal_srate() == pylsl.IRREGULAR_RATE
    desc = described.desc()
    assert desc.child_value("source") == "the camera"
    assert desc.child("models").first_child().child_value("file") == "hand.onnx"

    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = 1, 2, 60
    hand = clips.track("hand", side="right")
    face = replace(clips.track("face", number=2), pose=Pose(10, -5, 2.5, matrix))
    captured = time.monotonic() - 0.25  # a quarter of a second ago
    output.put(Frame(1, captured, None), Result(captured, (hand, face)))
    output.put(Frame(2, 123.0, None, captured=captured + 0.1), None)  # of a file, played live
    first, stamp = inlet.pull_sample(timeout=20)
    second, later = inlet.pull_sample(timeout=20)
    now = pylsl.local_clock()
    assert now - stamp == pytest.approx(time.monotonic() - captured, abs=0.1)
    assert later - stamp == pytest.approx(0.1, abs=0.02)
    at = dict(zip(labels, first, strict=True))
    assert np.isnan(at["left_presence"]) and np.isnan(at["left_p20_x"])
    assert (at["right_p20_x"], at["right_p20_y"]) == pytest.approx(tuple(hand.xy[20]))
    assert at["right_presence"] == pytest.approx(0.8) and at["face_p67_score"] == pytest.approx(0.9)
    assert [at[f"face_{a}"] for a in ("yaw", "pitch", "roll", "x", "y", "z")] == [
        10, -5, 2.5, 1, 2, 60,
    ]  # fmt: skip
    assert np.isnan(second).all(), "nobody is seen where there is no picture"
    output.close(True)
    last, _ = inlet.pull_sample(timeout=20)
    assert np.isnan(last).all()


def test_an_inlet_gets_the_52_expressions_of_a_face() -> None:
    """Of a model that gives them, behind the pose; of another they have no channels (above)."""
    hand, face = clips.USED
    told = (*face.info.attributes, Attribute("expressions", size=52))
    telling = replace(face, info=replace(face.info, attributes=told))
    name = f"test of expressions {time.monotonic_ns()}"
    output = LslOutlet(f"lsl:{name}", About("the camera", (hand, telling)))
    (info,) = pylsl.resolve_byprop("name", name, timeout=20)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(timeout=20)
    wait_for(lambda: output.heard() == "received", "the inlet is known")
    labels = inlet.info(timeout=20).get_channel_labels()
    assert labels[-52:] == [f"face_{name}" for name in EXPRESSIONS]
    assert labels[-53] == "face_z" and labels[-52] == "face__neutral"

    values = np.linspace(0, 1, 52, dtype=np.float32)
    pose = Pose(10, -5, 2.5, np.eye(4, dtype=np.float32))
    smiling = replace(clips.track("face"), pose=pose, expressions=values)
    t = time.monotonic()
    output.put(Frame(1, t, None), Result(t, (smiling,)))
    output.put(Frame(2, t + 0.03, None), Result(t + 0.03, (replace(smiling, pose=None),)))
    output.put(Frame(3, t + 0.06, None), Result(t + 0.06, ()))
    samples = np.array([inlet.pull_sample(timeout=20)[0] for _ in range(3)])
    np.testing.assert_allclose(samples[:2, -52:], np.stack([values] * 2), atol=1e-6)
    at = dict(zip(labels, samples[0], strict=True))
    assert at["face_yaw"] == 10 and at["face_roll"] == 2.5
    assert at["face_jawOpen"] == pytest.approx(values[EXPRESSIONS.index("jawOpen")])
    assert np.isnan(samples[1, labels.index("face_yaw")])
    assert np.isnan(samples[2]).all()
    output.close(True)


def test_channels_follow_the_models() -> None:
    assert [name for name, _ in blocks(clips.USED[1:])] == ["face"]
    assert [name for name, _ in blocks(clips.USED)] == ["left", "right", "face"]
    for bad in ("lsl:", "lsl://"):
        with pytest.raises(UserError, match="names no stream"):
            LslOutlet(bad, ABOUT)


def test_channels_of_another_model_are_refused() -> None:
    """Its numbers would stand under the labels of the one before. A kind may come and go."""
    used = [clips.USED]
    output = LslOutlet("lsl:test of models", About("the camera", (), used=lambda: used[0]))
    hand, face = clips.USED
    for models in ((hand,), (hand, face)):
        used[0] = models
        output.put(Frame(1, 1.0, None), Result(1.0, (clips.track("hand"),)))
    used[0] = replace(hand, info=clips.hand_info(count=5)), face
    with pytest.raises(UserError, match="lsl:test of models cannot go on: another model has other"):
        output.put(Frame(2, 2.0, None), Result(2.0, ()))
    output.close(False)
