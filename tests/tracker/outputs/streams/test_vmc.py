"""VMC, heard by python-osc's server and put on an avatar's bones as the specification says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.receivers import OscEars, osc_ears
from tracker.find.expressions import in_order
from tracker.find.hand_bones import bent
from tracker.find.head_pose import face_xyz
from tracker.outputs.output import About
from tracker.outputs.streams.vmc import Vmc, half, quaternion, quaternions
from tracker.result import Result
from tracker.types import Frame, Pose, Side

ABOUT = About("cam", clips.USED)
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Little")
# The 55 names of Unity's HumanBodyBones that can be meant here.
NAMES = {"Neck", "Head"} | {
    f"{side}{finger}{bone}"
    for side in ("Left", "Right")
    for finger in FINGERS
    for bone in ("Proximal", "Intermediate", "Distal")
}


def turned(quaternion: np.ndarray, vector: tuple[float, float, float]) -> np.ndarray:
    """A vector turned by a quaternion x y z w, as Unity does: q v q*."""
    u, w, v = quaternion[:3], quaternion[3], np.array(vector)
    return v + 2 * np.cross(u, np.cross(u, v) + w * v)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternion a b: b first."""
    u, w, v, s = a[:3], a[3], b[:3], b[3]
    return np.append(w * v + s * u + np.cross(u, v), w * s - u @ v)


def bones(ears: OscEars, least: int = 32) -> dict[str, np.ndarray]:
    """The last quaternion of each bone."""
    found = {}
    for name, *numbers in ears.wait("/VMC/Ext/Bone/Pos", least):
        assert name in NAMES and numbers[:3] == [0, 0, 0]
        found[name] = np.array(numbers[3:], float)
    return found


def heard(result: Result | None) -> tuple[dict[str, np.ndarray], OscEars]:
    with osc_ears() as ears:
        output = Vmc(f"vmc://127.0.0.1:{ears.port}", ABOUT)
        output.put(Frame(1, 1.0, None), result)
        ears.wait("/VMC/Ext/Blend/Apply")
        found = bones(ears)
        output._out.close()
    return found, ears


@pytest.mark.parametrize(
    ("pose", "ahead"),
    [
        (Pose(30, 0, 0), (-0.5, 0, np.sqrt(0.75))),  # to the person's left, the avatar's -x
        (Pose(0, 30, 0), (0, 0.5, np.sqrt(0.75))),  # up
    ],
)
def test_the_head_looks_where_the_person_does(
    pose: Pose, ahead: tuple[float, float, float]
) -> None:
    found, _ = heard(Result(1.0, (replace(clips.track("face"), pose=pose),)))
    assert turned(product(found["Neck"], found["Head"]), (0, 0, 1)) == pytest.approx(
        ahead, abs=1e-5
    )
    assert found["Neck"] == pytest.approx(found["Head"])


def test_a_head_tilts_to_its_own_side() -> None:
    """Clockwise on screen, to the person's left shoulder: its up goes to the avatar's left."""
    found, _ = heard(Result(1.0, (replace(clips.track("face"), pose=Pose(0, 0, 30)),)))
    up = turned(product(found["Neck"], found["Head"]), (0, 1, 0))
    assert up == pytest.approx([-0.5, np.sqrt(0.75), 0], abs=1e-5)


@pytest.mark.parametrize(("side", "out"), [("left", -1), ("right", 1)])
def test_fingers_bend_to_the_palm_of_the_t_pose(side: Side, out: int) -> None:
    """In the T pose fingers point sideways, the palm down, the thumb ahead."""
    bends = np.array([[0, 0, 0], [90, 0, 0], [30, 60, 45], [40, 0, 0], [0, 0, 90]], float)
    hand = replace(
        clips.track("hand", side=side), xyz=bent(side, bends, (45, 0, 0, 20, 0)), score=np.ones(21)
    )
    found, _ = heard(Result(1.0, (hand,)))
    name = side.capitalize()
    along = (out, 0, 0)
    assert turned(found[f"{name}IndexProximal"], along) == pytest.approx([0, -1, 0], abs=1e-5)
    chain = product(found[f"{name}MiddleProximal"], found[f"{name}MiddleIntermediate"])
    assert turned(chain, along) == pytest.approx([0, -1, 0], abs=1e-5)
    chain = product(chain, found[f"{name}MiddleDistal"])
    half_turn = np.sqrt(0.5)
    assert turned(chain, along) == pytest.approx([-out * half_turn, -half_turn, 0], abs=1e-5)
    ring = turned(found[f"{name}RingProximal"], along)  # spread to the thumb, ahead, and bent
    spread, bend = np.deg2rad([20, 40])
    flat = np.cos(bend) * np.array([out * np.cos(spread), 0, np.sin(spread)])
    assert ring == pytest.approx(flat + np.array([0, -np.sin(bend), 0]), abs=1e-5)
    assert found[f"{name}LittleProximal"] == pytest.approx([0, 0, 0, 1], abs=1e-5)
    # A thumb half spread rests where an avatar's does.
    assert found[f"{name}ThumbProximal"] == pytest.approx([0, 0, 0, 1], abs=1e-5)
    other = "Right" if side == "left" else "Left"
    assert found[f"{other}IndexProximal"] == pytest.approx([0, 0, 0, 1])


def test_who_is_lost_returns_to_the_t_pose() -> None:
    face = replace(clips.track("face", number=2), pose=Pose(30, 10, 5))
    with osc_ears() as ears:
        output = Vmc(f"vmc://127.0.0.1:{ears.port}", ABOUT)
        output.put(Frame(1, 1.0, None), Result(1.0, (clips.track("hand"), face)))
        output.put(Frame(2, 1.5, None), None)
        ears.wait("/VMC/Ext/Blend/Apply", 2)
        assert ears.values("/VMC/Ext/OK") == [(1, 3, 0, 1), (1, 3, 0, 0)]
        assert ears.values("/VMC/Ext/T") == [(0.0,), (0.5,)]
        assert ears.values("/VMC/Ext/Root/Pos")[0] == ("root", 0, 0, 0, 0, 0, 0, 1)
        rest = bones(ears, 64)
        assert set(rest) == NAMES
        assert all(turn == pytest.approx([0, 0, 0, 1]) for turn in rest.values())
        output.close(True)
        assert ears.wait("/VMC/Ext/OK", 3)[-1] == (1, 3, 0, 0)


def with_eyes(xy: np.ndarray, right: float, left: float) -> np.ndarray:
    """The same face with eyes so high, in their widths."""
    xy = xy.copy()
    for corners, lids, height in (
        ((36, 39), (37, 38, 41, 40), right), ((42, 45), (43, 44, 47, 46), left)
    ):  # fmt: skip
        a, b = xy[list(corners)]
        up = height / 2 * np.array([b[1] - a[1], a[0] - b[0]])
        for lid, share, sign in zip(lids, (1 / 3, 2 / 3) * 2, (1, 1, -1, -1), strict=True):
            xy[lid] = a + share * (b - a) + sign * up
    return xy


def test_blend_shapes_and_their_order() -> None:
    track = replace(clips.track("face"), pose=Pose(0, 0, 0))
    rest = 10 * face_xyz()[:, :2] + 300
    for right, left, blinks in ((0.32, 0.32, (0, 0)), (0.3, 0.1, (0, 1)), (0.245, 0.3, (0.5, 0))):
        xy = with_eyes(rest, right, left).astype(np.float32)
        _, ears = heard(Result(1.0, (replace(track, xy=xy),)))
        values = dict(ears.values("/VMC/Ext/Blend/Val"))
        assert set(values) == {"Blink_L", "Blink_R", "A"} and values["A"] < 0.2
        assert (values["Blink_R"], values["Blink_L"]) == pytest.approx(blinks, abs=0.02)
        order = [address for address, _ in ears.heard]
        assert order.index("/VMC/Ext/Blend/Apply") > order.index("/VMC/Ext/Blend/Val")
        assert order[0] == "/VMC/Ext/OK"


def test_expressions_of_the_model_by_their_names_and_their_end() -> None:
    face = replace(
        clips.track("face"), pose=Pose(0, 0, 0), attributes=(("jawOpen", 0.25), ("Blink_L", 0.75))
    )
    _, ears = heard(Result(1.0, (face,)))
    values = dict(ears.values("/VMC/Ext/Blend/Val"))
    assert set(values) == {"Blink_L", "Blink_R", "A", "jawOpen"}
    assert (values["jawOpen"], values["Blink_L"]) == (0.25, 0.75)


def test_what_was_lost_is_at_rest() -> None:
    face = replace(clips.track("face"), pose=Pose(0, 0, 0), attributes=(("jawOpen", 0.25),))
    with osc_ears() as ears:
        output = Vmc(f"vmc://127.0.0.1:{ears.port}", ABOUT)
        output.put(Frame(1, 1.0, None), Result(1.0, (face,)))
        output.put(Frame(2, 1.1, None), None)
        ears.wait("/VMC/Ext/Blend/Apply", 2)
        told = [value for name, value in ears.values("/VMC/Ext/Blend/Val") if name == "jawOpen"]
        assert told == [0.25, 0.0]
        output.close(True)


def test_expressions_are_sent_by_all_their_names_and_return_to_0() -> None:
    expressions = np.array(in_order({"jawOpen": 0.5, "eyeBlinkLeft": 0.75}), np.float32)
    face = replace(clips.track("face"), expressions=expressions)
    with osc_ears() as ears:
        output = Vmc(f"vmc://127.0.0.1:{ears.port}", ABOUT)
        output.put(Frame(1, 1.0, None), Result(1.0, (face,)))
        output.put(Frame(2, 1.5, None), None)
        ears.wait("/VMC/Ext/Blend/Apply", 2)
        values = ears.values("/VMC/Ext/Blend/Val")
        output._out.close()
    first, last = dict(values[:62]), dict(values[62:])
    assert len(first) == 51 + 11
    shown = {"A": 0.5, "JawOpen": 0.5, "Blink_L": 0.75, "EyeBlinkLeft": 0.75}
    assert {name: value for name, value in first.items() if value} == shown
    assert set(last) == set(first) and not any(last.values())


def test_quaternions_turn_as_their_matrices_do() -> None:
    rng = np.random.default_rng(1)
    q = rng.normal(size=(50, 4))
    q = np.vstack([q, np.eye(4)])
    q /= np.linalg.norm(q, axis=1, keepdims=True)
    columns = [[turned(one, axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))] for one in q]
    found = quaternions(np.array(columns).transpose(0, 2, 1))
    assert np.abs((found * q).sum(1)) == pytest.approx(np.ones(len(q)))
    assert (found[:, 3] >= 0).all()
    whole = quaternion(np.array(columns[0]).T)
    assert np.abs(product(half(whole), half(whole)) @ whole) == pytest.approx(1)
