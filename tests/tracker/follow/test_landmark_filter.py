"""Gains by hand; then what is asked of the presets: nothing trails, what is still is held."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helpers import clips
from tracker.follow.landmark_filter import LandmarkFilter, nearer, split
from tracker.follow.smooth import PRESETS, SmoothConfig

# A time constant of exactly 1 s; R is (0.1 size)^2, for single landmarks (0.2)^2, for lids (0.05)^2
BY_HAND = SmoothConfig(1.0, 0.0, 1.0, 1 / (2 * math.pi), 0.1, 0.2, 0.05)
SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5], [0.5, 0]])


def test_a_shift_of_all_by_hand() -> None:
    """By 0.2 sizes: S = 0.04, R = 0.01, gain 3/4. By 0.1 S = R: the low-pass's 1/2 after 1 s."""
    filt = LandmarkFilter(BY_HAND)
    assert filt.update(SQUARE, 0.0, 1.0) == pytest.approx(SQUARE)
    assert filt.update(SQUARE + np.array([0.2, 0]), 1.0, 1.0) == pytest.approx(
        SQUARE + np.array([0.15, 0])
    )
    assert filt.lag_ms == pytest.approx(1000 / 3)  # 1 s times (1 - 3/4) / (3/4)
    filt.reset()
    filt.update(SQUARE, 0.0, 1.0)
    assert filt.update(SQUARE + np.array([0, 0.1]), 1.0, 1.0) == pytest.approx(
        SQUARE + np.array([0, 0.05])
    )


def test_size_is_the_unit() -> None:
    filt = LandmarkFilter(BY_HAND)
    filt.update(SQUARE * 50, 0.0, 50.0)
    assert filt.update(SQUARE * 50 + [10, 0], 1.0, 50.0) == pytest.approx(SQUARE * 50 + [7.5, 0])


def test_one_landmark_moves_by_its_own_gain() -> None:
    """Two points of no common name and a shift of none: +-0.4 leaves 0.16 > R = 0.04, gain 3/4."""
    filt = LandmarkFilter(BY_HAND)
    filt.update([[0.0, 0.0], [1.0, 0.0]], 0.0, 1.0)
    moved = filt.update([[0.0, 0.4], [1.0, -0.4]], 1.0, 1.0)
    assert moved == pytest.approx(np.array([[0, 0.3], [1, -0.3]]))


def test_lids_have_a_finer_measure() -> None:
    """The same +-0.1: of lids 0.01 against 0.0025, gain 3/4; of others below R, gain 1/2."""
    for names, gain in ((("eye_0", "eye_1"), 0.75), (("ear_0", "ear_1"), 0.5)):
        filt = LandmarkFilter(BY_HAND, names)
        filt.update([[0.0, 0.0], [1.0, 0.0]], 0.0, 1.0)
        moved = filt.update([[0.0, 0.1], [1.0, -0.1]], 1.0, 1.0)
        assert moved[:, 1] == pytest.approx([0.1 * gain, -0.1 * gain]), names


def test_what_has_a_name_in_common_moves_together() -> None:
    """Of four the first two move apart by +-0.4. Alone these are at 3/4; with two that rest the
    mean square halves to 0.08: R / S = 1/2, the low-pass's gain."""
    start = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0]])
    end = start + np.array([[0, 0.4], [0, -0.4], [0, 0], [0, 0]])
    for names, gain in ((("a_0", "a_1", "b_0", "b_1"), 0.75), (("a_0", "a_1", "a_2", "a_3"), 0.5)):
        filt = LandmarkFilter(BY_HAND, names)
        filt.update(start, 0.0, 1.0)
        assert filt.update(end, 1.0, 1.0)[0, 1] == pytest.approx(0.4 * gain), names


def test_values_that_have_nothing_in_common() -> None:
    filt = LandmarkFilter(BY_HAND, as_one=False)
    filt.update(np.zeros((3, 1)), 0.0, 1.0)
    assert filt.update([[0.4], [0.0], [0.2]], 1.0, 1.0)[:, 0] == pytest.approx([0.3, 0, 0.1])


def test_split_finds_turns_and_growth() -> None:
    turn = np.array([[1.1, 0.2], [-0.1, 0.9]])
    change = SQUARE @ turn - SQUARE + [3, 4]
    whole, rest = split(SQUARE, change)
    assert whole == pytest.approx(change, abs=1e-4) and np.abs(rest).max() < 1e-4
    whole, rest = split(SQUARE[:2], np.array([[1.0, 0], [3, 0]]))  # few points: a shift
    assert whole == pytest.approx(np.array([[2, 0], [2, 0]])) and rest[0, 0] == -1
    line = np.stack([np.arange(8.0), np.zeros(8)], 1)
    assert np.isfinite(split(line, line)[0]).all()


def test_noise_is_learnt_as_a_median() -> None:
    assert nearer(1e-3, 1.0, 2.0) == 2e-3
    assert nearer(1e-3, 0.0, 2.0) == 5e-4


def test_hours_between_two_frames() -> None:
    """As of a camera that films what moves: e^(2 / 0.6 * 3600) is no number, and the gain of the
    low-pass is 3600 / 3601 at least.
    """
    filt, there = LandmarkFilter(BY_HAND), SQUARE + np.array([0.1, 0])
    for i in range(4):
        shown = filt.update(there if i % 2 else SQUARE, 3600.0 * i, 1.0)
    assert shown == pytest.approx(there, abs=0.1 / 3600)


def test_a_repeated_time_changes_nothing_and_off_passes() -> None:
    filt = LandmarkFilter(BY_HAND)
    filt.update(SQUARE, 5.0, 1.0)
    first = filt.update(SQUARE + 0.2, 6.0, 1.0)
    for t in (6.0, 5.5):
        assert filt.update(SQUARE + 1e6, t, 1.0) == pytest.approx(first)
    off = LandmarkFilter(None)
    off.update(SQUARE, 0.0, 1.0)
    assert off.update(SQUARE + 9, 0.01, 1.0) == pytest.approx(SQUARE + 9) and off.lag_ms == 0


@pytest.mark.parametrize("preset", ["light", "strong"])
@pytest.mark.parametrize("speed", [0.2, 1.0, 4.0])
def test_nothing_trails_by_more_than_its_measure(preset: str, speed: float) -> None:
    """On a ramp the lag is (1 - gain) e with gain >= 1 - R / e^2, so R / e at most, and e >= R^.5
    where the gate opens: never beyond sqrt(R), nor where the low-pass alone reigns."""
    config = PRESETS[preset]  # type: ignore[index]
    assert config is not None
    filt = LandmarkFilter(config)
    for i in range(60):
        raw = SQUARE * 100 + [100 * speed * i / 30, 0]
        behind = raw - filt.update(raw, i / 30, 100.0)
        assert np.abs(behind).max() <= 100 * config.whole


@pytest.mark.parametrize(("preset", "share"), [("light", 0.35), ("strong", 0.15)])
@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_still_landmarks_are_held(preset: str, share: float, noise: float) -> None:
    """Noise of 0.1 to 1 % of the size, each axis: what the presets' One Euro left was more."""
    rng = np.random.default_rng(0)
    raw = clips.face_xy() + rng.normal(0, noise, (240, 68, 2))
    filt = LandmarkFilter(PRESETS[preset])  # type: ignore[index]
    shown = np.array([filt.update(xy, i / 30, 100.0) for i, xy in enumerate(raw)])[90:]
    assert np.diff(shown, axis=0).std() < share * np.diff(raw[90:], axis=0).std()


def test_steps_pass_almost_whole_at_once() -> None:
    filt = LandmarkFilter(PRESETS["light"])
    for i in range(10):
        filt.update(SQUARE * 100, i / 30, 100.0)
    after = filt.update(SQUARE * 100 + [30, 0], 10 / 30, 100.0)
    assert after[:, 0] == pytest.approx(SQUARE[:, 0] * 100 + 30, abs=0.2)


def test_changes_of_two_times_are_fitted_at_once_as_one_by_one() -> None:
    rng = np.random.default_rng(5)
    at, first, second = (
        rng.normal(50, 20, (21, 2)),
        rng.normal(0, 3, (21, 2)),
        rng.normal(2, 1, (21, 2)),
    )
    both = split(at, np.hstack([first, second]))
    for part, columns in ((first, slice(0, 2)), (second, slice(2, 4))):
        for found, alone in zip(both, split(at, part), strict=True):
            assert found[:, columns] == pytest.approx(alone, abs=1e-9)
