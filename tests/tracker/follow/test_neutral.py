"""A face at rest: captured from five seconds, subtracted, and given up for another face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.find.expressions import EXPRESSIONS, in_order
from tracker.find.head_pose import face_xyz
from tracker.follow.neutral import (
    FAR,
    FEWEST,
    MOST,
    NEAR,
    SPREAD,
    Capture,
    Neutral,
    NeutralFace,
    distance,
    proportions,
)
from tracker.result import Result
from tracker.types import Pose, Track

JAW, BLINK = EXPRESSIONS.index("jawOpen"), EXPRESSIONS.index("eyeBlinkLeft")


def face(number: int = 1, nose: float = 1.0, yaw: float = 0.0, **told: float) -> Track:
    """The average face seen from the front, its nose so many times as wide."""
    xy = 8 * face_xyz()[:, :2] + np.array([320, 240])
    middle = xy[33].copy()
    xy[31:36] = middle + (xy[31:36] - middle) * (nose, 1)
    values = np.array(in_order(told), np.float32)
    return replace(
        clips.track("face", number=number), xy=xy.astype(np.float32),
        pose=Pose(yaw, 0, 0), expressions=values, expressions_raw=values,
    )  # fmt: skip


def shape(nose: float = 1.0) -> np.ndarray:
    found = proportions(face(nose=nose))
    assert found is not None
    return found


def resting(**told: float) -> NeutralFace:
    return NeutralFace(np.array(in_order(told), np.float32), shape())


def test_proportions_of_the_average_face() -> None:
    flat = face_xyz()[:, :2]
    found = np.exp(shape())
    assert found[0] == pytest.approx(np.linalg.norm(flat[36] - flat[45]), rel=1e-4)
    assert found[4] == pytest.approx(np.linalg.norm(flat[31] - flat[35]), rel=1e-4)
    assert shape(nose=1.5)[4] - shape()[4] == pytest.approx(np.log(1.5), abs=1e-3)
    assert proportions(face(yaw=40)) is None and proportions(clips.track("hand")) is None
    assert proportions(replace(face(), pose=None)) is None


def test_distance_counts_in_deviations_of_one_person() -> None:
    assert distance(shape(), shape() + SPREAD) == pytest.approx(1)
    one = 2 * SPREAD * (np.arange(7) == 4)
    assert distance(shape(), shape() + one) == pytest.approx(np.sqrt(4 / 7))


def captured(capture: Capture, tracks: list[tuple[Track, ...]]) -> NeutralFace | None:
    """At 10 frames a second."""
    found = None
    for i, seen in enumerate(tracks):
        found = capture.take(Result(i / 10, seen))
        if found is not None:
            break
    return found


def test_a_capture_is_the_median_of_its_last_three_seconds() -> None:
    """A smile while getting ready and a blink do not count."""
    frames: list[tuple[Track, ...]] = [(face(mouthSmileLeft=1.0),)] * 19
    frames += [(face(browDownLeft=0.25, eyeBlinkLeft=1.0),)] * 4
    frames += [(face(browDownLeft=0.25, eyeBlinkLeft=0.125),)] * 28
    found = captured(Capture(), frames)
    assert found is not None and found.frames == 31  # 2.0 to 5.0 s
    assert {n: v for n, v in zip(EXPRESSIONS, found.expressions.tolist(), strict=True) if v} == {
        "browDownLeft": 0.25, "eyeBlinkLeft": 0.125,
    }  # fmt: skip
    np.testing.assert_allclose(found.proportions, shape(), atol=1e-6)


def test_a_capture_takes_what_the_network_says_not_what_is_shown() -> None:
    rest = in_order({"browDownLeft": 0.5})
    track = replace(face(), expressions_raw=np.array(rest, np.float32))
    found = captured(Capture(), [(track,)] * 51)
    assert found is not None and found.expressions.tolist() == rest


def test_it_begins_anew_where_the_face_goes() -> None:
    capture = Capture()
    assert captured(capture, [(face(),)] * 40) is None
    assert capture.share == pytest.approx(0.78) and capture.left_s == pytest.approx(1.1)
    assert capture.take(Result(4.0, ())) is None
    assert capture.is_missing and capture.share == 0
    assert capture.take(Result(4.1, (face(),))) is None and not capture.is_missing
    capture.take(Result(5.1, (face(),)))
    assert capture.share == pytest.approx(0.2)
    capture.take(Result(5.2, (face(number=7),)))
    assert capture.share == 0, "another face"


def test_the_oldest_face_is_captured() -> None:
    found = captured(Capture(), [(face(9, cheekPuff=1.0), face(2, jawOpen=0.25))] * 51)
    assert found is not None and found.expressions[JAW] == 0.25


def test_a_model_without_expressions_is_told() -> None:
    capture = Capture()
    capture.take(Result(0.0, (clips.track("face"),)))
    assert capture.lacks_expressions and capture.is_missing


def test_a_profile_gives_no_face_at_rest() -> None:
    with pytest.raises(ValueError, match=f"{FEWEST} are needed; look into the camera"):
        captured(Capture(), [(face(yaw=50),)] * 60)


def test_what_lies_above_rest_has_the_whole_range() -> None:
    neutral = Neutral(resting(jawOpen=0.2, eyeBlinkLeft=1.0))
    (track,) = neutral.subtracted([face(jawOpen=0.6, eyeBlinkLeft=1.0)], 0.0)
    assert track.at_rest == 1 and track.expressions is not None
    assert track.expressions[JAW] == pytest.approx((0.6 - 0.2) / 0.8)
    assert track.expressions[BLINK] == pytest.approx(1.0), f"at most {MOST} is taken away"
    (calm,) = neutral.subtracted([face(jawOpen=0.1)], 0.1)
    assert calm.expressions is not None and calm.expressions[JAW] == 0
    assert calm.expressions_raw is not None
    assert calm.expressions_raw[JAW] == pytest.approx(0.1), "that stays as the network said"


def test_others_stay_as_they_are() -> None:
    hand, old = clips.track("hand"), clips.track("face")
    assert Neutral(resting()).subtracted([hand, old], 0.0) == [hand, old]


def test_it_fades_to_nothing_when_the_face_changes_and_comes_back() -> None:
    """Another one sits down in the place of the first: the same track."""
    neutral, wide = Neutral(resting(jawOpen=0.5)), 2.5
    assert distance(shape(), shape(wide)) > 2 * FAR
    shares = []
    for i in range(300):
        nose = 1.0 if i < 30 or i >= 180 else wide
        (track,) = neutral.subtracted([face(nose=nose, jawOpen=0.5)], i / 30)
        shares.append(track.at_rest or 0.0)
        if i == 179:
            assert track.expressions is not None
            assert track.expressions[JAW] == pytest.approx(0.5, abs=0.02), "as it is seen"
    assert shares[29] == 1 and np.all(np.diff(shares[30:180]) <= 0) and shares[179] < 0.05
    assert 0 < shares[90] < 1, "not at once"
    assert shares[-1] > 0.5


def test_another_face_gets_nothing() -> None:
    neutral = Neutral(resting(jawOpen=0.5))
    (track,) = neutral.subtracted([face(nose=2.5, jawOpen=0.5)], 0.0)
    assert track.at_rest == 0 and track.expressions is not None
    assert track.expressions[JAW] == 0.5


def test_in_doubt_it_stays_as_it_was() -> None:
    """Between near and far: taken by who had it, and by nobody else."""
    between = next(w for w in np.arange(1, 2, 0.01) if distance(shape(), shape(w)) > NEAR + 0.1)
    assert distance(shape(), shape(between)) < FAR
    neutral = Neutral(resting())
    neutral.subtracted([face(1)], 0.0)
    for i in range(1, 200):
        mine, other = neutral.subtracted([face(1, nose=between), face(2, nose=between)], i / 30)
    assert (mine.at_rest, other.at_rest) == (1, 0)
    neutral.reset()
    (track,) = neutral.subtracted([face(1, nose=between)], 0.0)
    assert track.at_rest == 0


def test_whom_nobody_saw_from_the_front_waits() -> None:
    neutral = Neutral(resting())
    (track,) = neutral.subtracted([face(yaw=60)], 0.0)
    assert track.at_rest == 0
    (track,) = neutral.subtracted([face()], 0.1)
    assert track.at_rest == 1
    (track,) = neutral.subtracted([face(yaw=60)], 0.2)
    assert track.at_rest == 1, "who turns away is still the same"
