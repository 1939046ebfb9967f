"""Plain OSC, heard by python-osc's own server."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle

from tests.helpers import clips
from tests.helpers.receivers import osc_ears
from tracker.find.expressions import in_order
from tracker.find.hand_bones import bent
from tracker.outputs.output import About
from tracker.outputs.streams.names import Names
from tracker.outputs.streams.osc import Osc
from tracker.outputs.streams.osc_packets import MOST, bundles, message, named
from tracker.result import Result
from tracker.types import Frame, Motion, Pose, Track

ABOUT = About("cam", clips.USED)


def hand(side: str, number: int) -> Track:
    return clips.track("hand", side=side, number=number)  # type: ignore[arg-type]


def test_messages_are_those_of_python_osc() -> None:
    from pythonosc.osc_message_builder import build_msg

    for values in ((), (1,), (0.25, -3.5, 7), ("fist", 0.5), ("", 2)):
        assert message("/a/b", *values) == build_msg("/a/b", list(values)).dgram
    assert named("/b", "name", "f") + np.array([0.5], ">f4").tobytes() == message("/b", "name", 0.5)


def test_bundles_fit_into_datagrams() -> None:
    messages = [message(f"/point/{i}", float(i)) for i in range(200)]
    packed = list(bundles(messages))
    assert max(len(data) for data in packed) <= MOST and len(packed) == 4
    found = [m.address for data in packed for m in OscBundle(data)]
    assert found == [f"/point/{i}" for i in range(200)]
    assert list(bundles([])) == []


def test_a_hand_and_a_face_and_their_loss() -> None:
    left = replace(
        hand("left", 1),
        gestures=(("fist", 0.75), ("my sign", 0.25)),
        xyz=bent("left", np.array([[0, 0, 0], [0, 0, 0], [90, 90, 0], [0, 45, 45], [0, 0, 0]])),
    )
    matrix = np.eye(4, dtype=np.float32)
    matrix[:3, 3] = 1, 2, 60
    face = replace(
        clips.track("face", number=2),
        pose=Pose(10, -5, 2.5, matrix),
        attributes=(("jawOpen", 0.25), ("my smile", 0.5)),
    )
    with osc_ears() as ears:
        output = Osc(f"osc://127.0.0.1:{ears.port}", ABOUT)
        output.put(Frame(7, 70.0, clips.picture(0)), Result(70.0, (left, face)))
        output.put(Frame(9, 70.5, None), None)
        frames = ears.wait("/frame", 2)
        assert frames == [(7, 0.0), (9, 0.5)]
        assert ears.wait("/left/found", 2) == [(1,), (0,)]
        assert ears.wait("/face/found", 2) == [(1,), (0,)]
        ((x, y, score),) = ears.values("/left/point/p20")
        assert (x, y) == pytest.approx(tuple(left.xy[20] / (96, 64))) and score == pytest.approx(
            0.9
        )
        assert len(ears.values("/face/point/p67")) == 1
        assert ears.values("/left/gesture") == [("fist", pytest.approx(0.9))]
        assert ears.values("/left/gesture/fist") == [(0.75,)]
        assert ears.values("/left/gesture/my_sign") == [(0.25,)]
        ((*bends,),) = ears.values("/left/bend")
        assert bends[1:] == pytest.approx([0, 1, 0.5, 0], abs=1e-3)
        assert ears.values("/face/pose") == [(10.0, -5.0, 2.5)]
        assert ears.values("/face/attribute/jawOpen") == [(0.25,)]
        assert ears.values("/face/attribute/my_smile") == [(0.5,)]
        assert ears.values("/face/place") == [(1.0, 2.0, 60.0)]
        output.close(True)
        assert ears.wait("/left/found", 3)[-1] == (0,)


def test_names_stay_and_the_smallest_free_one_is_given() -> None:
    names = Names()
    a, b, c = hand("left", 1), hand("left", 2), hand("left", 3)
    assert names.given(Result(0, (a, b))) == {"left": a, "left2": b}
    assert names.given(Result(0, (b,))) == {"left2": b}
    assert names.given(Result(0, (b, c))) == {"left2": b, "left": c}
    turned = replace(b, side="right")
    face = clips.track("face", number=5)
    assert names.given(Result(0, (turned, face))) == {"right": turned, "face": face}
    assert names.given(None) == {} and names.known == ["left", "left2", "right", "face"]


def test_a_motion_is_sent_once() -> None:
    with osc_ears() as ears:
        output = Osc(f"osc://127.0.0.1:{ears.port}", ABOUT)
        for i, age in enumerate((0.0, 0.04, 0.08)):
            waved = replace(hand("left", 1), motion=Motion("my wave", 0.75, age))
            output.put(Frame(i, 1.0 + age, clips.picture(0)), Result(1.0 + age, (waved,)))
        assert len(ears.wait("/frame", 3)) == 3
        assert ears.values("/left/motion") == [("my wave", 0.75)]
        output.close(True)


def test_irises_and_expressions_of_a_face() -> None:
    face = replace(
        clips.track("face"), irises=np.array([[24, 32, 0.5], [48, 32, 0.75]], np.float32),
        expressions=np.array(in_order({"mouthSmileLeft": 0.5}), np.float32),
    )  # fmt: skip
    with osc_ears() as ears:
        output = Osc(f"osc://127.0.0.1:{ears.port}", ABOUT)
        output.put(Frame(1, 1.0, clips.picture(0)), Result(1.0, (face,)))  # 96 x 64 px
        assert ears.wait("/face/expression/noseSneerRight")[-1] == (0.0,)
        assert ears.values("/face/expression/mouthSmileLeft") == [(0.5,)]
        assert ears.values("/face/iris/right") == [(0.25, 0.5, 0.5)]
        assert ears.values("/face/iris/left") == [(0.5, 0.5, 0.75)]
        output.close(True)
